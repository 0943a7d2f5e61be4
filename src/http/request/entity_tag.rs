//! Lists of entity tags (RFC 9110, 8.8.3 and 13.1.1).
//!
//! By hand: the `headers` crate neither says what is wrong with a field nor shows the tags of
//! one that is right, and a tag has to be read here as the revision that it stands for.

use crate::http::problem::{Problem, ProblemType};
use std::fmt;

use crate::event_store::StreamRevision;

/// What the tag of the text board has in addition to the revision.
pub(crate) const TEXT_VARIANT: &str = "-text";

/// The value of a condition, of all of its header fields together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`: whatever there is.
    Any,
    /// Never empty.
    Listed(Vec<EntityTag>),
}

/// A tag; not necessarily one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityTag {
    pub(crate) is_weak: bool,
    /// What is between the quotes. Latin-1, since anything may be there.
    pub(crate) opaque: String,
}

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTags {
    #[error("{0} is no entity tag; tags are in double quotes.")]
    NoTag(String),
    #[error("{0} is the tag of no revision of a game.")]
    NoRevision(EntityTag),
    #[error("A star stands alone.")]
    StarAmongOthers,
    #[error("There is no entity tag.")]
    Empty,
    #[error("There are more than {0} entity tags.")]
    TooMany(usize),
}

impl InvalidTags {
    /// What to send instead.
    pub(crate) fn as_it_should_be(&self) -> String {
        let digits = |text: &str| {
            let digits = text.trim_matches('"');
            let is_number = digits.parse::<u64>().is_ok_and(|n| n.to_string() == digits);
            is_number.then(|| format!("\"{digits}\""))
        };
        let given = match self {
            InvalidTags::NoTag(text) => digits(text),
            InvalidTags::StarAmongOthers => Some("*".to_owned()),
            InvalidTags::NoRevision(_) | InvalidTags::Empty | InvalidTags::TooMany(_) => None,
        };
        given.unwrap_or_else(|| "\"7\", say, when the answer that you go by had ETag: \"7\"".into())
    }
}

impl EntityTag {
    /// The revision that this is a tag of, of whichever variant.
    pub(crate) fn revision(&self) -> Option<StreamRevision> {
        let digits = self.opaque.strip_suffix(TEXT_VARIANT);
        let digits = digits.unwrap_or(&self.opaque);
        let number: u64 = digits.parse().ok()?;
        // Tags are compared letter by letter: 07 and +7 are not 7.
        (number.to_string() == digits).then(|| StreamRevision::new(number))
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weak = if self.is_weak { "W/" } else { "" };
        write!(f, "{weak}\"{}\"", self.opaque)
    }
}

impl Tags {
    /// Reads the fields as one list (RFC 9110, 5.3).
    pub(crate) fn parse<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<Tags, InvalidTags> {
        let mut tags = Vec::new();
        let mut stars = 0;
        for field in fields {
            if field.trim_ascii() == b"*" {
                stars += 1;
            } else {
                read_list(field, &mut tags)?;
            }
        }
        match (stars, tags.is_empty()) {
            (0, true) => Err(InvalidTags::Empty),
            (0, false) => Ok(Tags::Listed(tags)),
            (1, true) => Ok(Tags::Any),
            (_, _) => Err(InvalidTags::StarAmongOthers),
        }
    }
}

/// Reads the tags between the commas. Between two commas there may be nothing (RFC 9110,
/// 5.6.1.2), and within a tag there may be a comma.
fn read_list(field: &[u8], tags: &mut Vec<EntityTag>) -> Result<(), InvalidTags> {
    let mut rest = field.trim_ascii();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after;
            continue;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let (tag, after) = read_tag(rest).ok_or_else(|| no_tag(rest))?;
        tags.push(tag);
        rest = after.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return Err(no_tag(rest));
        }
    }
}

/// The tag at the beginning, and what follows it.
fn read_tag(text: &[u8]) -> Option<(EntityTag, &[u8])> {
    let weak = text.strip_prefix(b"W/");
    let opaque = weak.unwrap_or(text).strip_prefix(b"\"")?;
    let end = opaque.iter().position(|byte| *byte == b'"')?;
    let (opaque, after) = opaque.split_at(end);
    let is_etagc = |byte: &u8| matches!(byte, 0x21..=0x7e | 0x80..=0xff);
    let tag = opaque.iter().all(is_etagc).then(|| EntityTag {
        is_weak: weak.is_some(),
        opaque: latin_1(opaque),
    })?;
    Some((tag, &after[1..]))
}

fn no_tag(rest: &[u8]) -> InvalidTags {
    let member = rest.split(|byte| *byte == b',').next().unwrap_or(rest);
    let member = latin_1(member.trim_ascii());
    match member.as_str() {
        "*" => InvalidTags::StarAmongOthers,
        _ => InvalidTags::NoTag(member),
    }
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// A condition that cannot be read is never passed over: the client relies on it.
pub(crate) fn invalid_precondition(header: &str, invalid: &InvalidTags) -> Problem {
    Problem::new(
        ProblemType::InvalidPrecondition,
        format!("{invalid} Send {header}: {}", invalid.as_it_should_be()),
    )
    .with("header", header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(fields: &[&str]) -> Result<Tags, InvalidTags> {
        Tags::parse(fields.iter().map(|field| field.as_bytes()))
    }

    #[track_caller]
    fn listed(fields: &[&str]) -> Vec<String> {
        match parse(fields) {
            Ok(Tags::Listed(tags)) => tags.iter().map(ToString::to_string).collect(),
            other => panic!("{fields:?}: {other:?}"),
        }
    }

    #[test]
    fn a_condition_is_a_list_of_tags_or_a_star() {
        assert_eq!(parse(&["*"]), Ok(Tags::Any));
        assert_eq!(parse(&[" *\t"]), Ok(Tags::Any));
        assert_eq!(listed(&["\"3\""]), ["\"3\""]);
        assert_eq!(listed(&["\"3\" ,\t\"4\""]), ["\"3\"", "\"4\""]);
        assert_eq!(listed(&["W/\"3\",\"\""]), ["W/\"3\"", "\"\""]);
    }

    #[test]
    fn two_fields_are_one_list() {
        assert_eq!(
            listed(&["\"3\"", "\"4\", \"5\""]),
            ["\"3\"", "\"4\"", "\"5\""]
        );
        assert_eq!(listed(&["", "\"4\""]), ["\"4\""]);
    }

    #[test]
    fn a_comma_may_stand_in_a_tag_and_nothing_between_two() {
        assert_eq!(listed(&[",\"a,b\",, \"c\","]), ["\"a,b\"", "\"c\""]);
    }

    #[test]
    fn what_is_no_tag_is_named() {
        for (field, named) in [
            ("3", "3"),
            ("\"3\", 4", "4"),
            ("\"3", "\"3"),
            ("3\"", "3\""),
            ("w/\"3\"", "w/\"3\""),
            ("W/3", "W/3"),
            ("'3'", "'3'"),
            ("\"3\"x", "x"),
            ("\"3\" \"4\"", "\"4\""),
            ("\"a b\"", "\"a b\""),
            ("\"\u{7f}\"", "\"\u{7f}\""),
        ] {
            assert_eq!(
                parse(&[field]),
                Err(InvalidTags::NoTag(named.into())),
                "{field}"
            );
        }
        assert_eq!(parse(&[]), Err(InvalidTags::Empty));
        assert_eq!(parse(&[" , "]), Err(InvalidTags::Empty));
        for fields in [
            &["*, \"3\""][..],
            &["\"3\", *"],
            &["*", "\"3\""],
            &["*", "*"],
            &["*,*"],
        ] {
            assert_eq!(
                parse(fields),
                Err(InvalidTags::StarAmongOthers),
                "{fields:?}"
            );
        }
    }

    #[test]
    fn a_number_without_its_quotes_is_shown_with_them() {
        let shown = |field| parse(&[field]).expect_err("no tag").as_it_should_be();
        assert_eq!(shown("3"), "\"3\"");
        assert_eq!(shown("\"12"), "\"12\"");
        assert_eq!(shown("*, \"3\""), "*");
        assert!(shown("abc").starts_with("\"7\", say"));
    }

    #[test]
    fn a_tag_stands_for_a_revision_in_one_way_only() {
        let revision = |opaque: &str| {
            let opaque = opaque.to_owned();
            let revision = EntityTag {
                is_weak: false,
                opaque,
            }
            .revision();
            revision.map(StreamRevision::number)
        };
        assert_eq!(revision("7"), Some(7));
        assert_eq!(revision("7-text"), Some(7));
        assert_eq!(revision("18446744073709551615"), Some(u64::MAX));
        for other in [
            "",
            "x",
            "07",
            "+7",
            "-1",
            "7-html",
            "7-text-text",
            "18446744073709551616",
        ] {
            assert_eq!(revision(other), None, "{other}");
        }
    }
}
