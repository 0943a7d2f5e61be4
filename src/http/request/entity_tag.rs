//! Lists of entity tags (RFC 9110, 8.8.3 and 13.1.1).
//!
//! Parsed by hand: the `headers` crate does not say what is wrong with an invalid field, and does not give
//! access to the tags of a valid one. This service needs the revision in each tag.

use crate::http::problem::{Problem, ProblemType};
use std::fmt;

use crate::event_store::StreamRevision;

/// The suffix of the text board's tag, after the revision.
pub(crate) const TEXT_VARIANT: &str = "-text";

/// The value of a conditional header, with all of its field lines combined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`: any current representation.
    Any,
    /// Never empty.
    Listed(Vec<EntityTag>),
}

/// An entity tag, not necessarily one that this service sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityTag {
    pub(crate) is_weak: bool,
    /// The text between the quotes, read as Latin-1, because any byte from 0x80 is allowed.
    pub(crate) opaque: String,
}

/// Why a conditional header is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTags {
    #[error("{0} is not an entity tag. Entity tags are in double quotes.")]
    NoTag(String),
    #[error("{0} is not the entity tag of a game.")]
    NoRevision(EntityTag),
    #[error("* cannot be combined with other values.")]
    StarAmongOthers,
    #[error("There is no entity tag.")]
    Empty,
    #[error("There are more than {0} entity tags.")]
    TooMany(usize),
}

impl InvalidTags {
    /// A valid value to send instead.
    pub(crate) fn valid_example(&self) -> String {
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
        given.unwrap_or_else(|| "\"7\", if the response that you decided on had ETag: \"7\"".into())
    }
}

impl EntityTag {
    /// The revision in the tag, with or without the suffix of the text board.
    pub(crate) fn revision(&self) -> Option<StreamRevision> {
        let digits = self.opaque.strip_suffix(TEXT_VARIANT);
        let digits = digits.unwrap_or(&self.opaque);
        let number: u64 = digits.parse().ok()?;
        // Tags are compared character by character: 07 and +7 are not 7.
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
    /// Parses the field lines as one list (RFC 9110, 5.3).
    pub(crate) fn parse<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<Tags, InvalidTags> {
        let mut tags = Vec::new();
        let mut stars = 0;
        for field in fields {
            read_list(field, &mut tags, &mut stars)?;
        }
        match (stars, tags.is_empty()) {
            (0, true) => Err(InvalidTags::Empty),
            (0, false) => Ok(Tags::Listed(tags)),
            (1, true) => Ok(Tags::Any),
            (_, _) => Err(InvalidTags::StarAmongOthers),
        }
    }
}

/// Parses a comma-separated list of tags and counts the stars in it. List elements may be empty (RFC 9110,
/// 5.6.1.2), and a tag may contain a comma.
fn read_list(
    field: &[u8],
    tags: &mut Vec<EntityTag>,
    stars: &mut usize,
) -> Result<(), InvalidTags> {
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
        rest = match rest.strip_prefix(b"*") {
            Some(after) => {
                *stars += 1;
                after
            }
            None => {
                let (tag, after) = read_tag(rest).ok_or_else(|| invalid_tag(rest))?;
                tags.push(tag);
                after
            }
        };
        rest = rest.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return Err(invalid_tag(rest));
        }
    }
}

/// The tag at the start of the text, and the rest of the text.
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

fn invalid_tag(rest: &[u8]) -> InvalidTags {
    let member = rest.split(|byte| *byte == b',').next().unwrap_or(rest);
    InvalidTags::NoTag(latin_1(member.trim_ascii()))
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// A conditional header that cannot be parsed is never ignored, because the client relies on it.
pub(crate) fn invalid_precondition(header: &str, invalid: &InvalidTags) -> Problem {
    Problem::new(
        ProblemType::InvalidPrecondition,
        format!("{invalid} Send {header}: {}", invalid.valid_example()),
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
        assert_eq!(parse(&[", *,", "", ","]), Ok(Tags::Any));
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
    fn a_tag_may_contain_a_comma_and_list_elements_may_be_empty() {
        assert_eq!(listed(&[",\"a,b\",, \"c\","]), ["\"a,b\"", "\"c\""]);
    }

    #[test]
    fn an_invalid_tag_is_named_in_the_error() {
        for (field, named) in [
            ("3", "3"),
            ("\"3\", 4", "4"),
            ("\"3", "\"3"),
            ("3\"", "3\""),
            ("w/\"3\"", "w/\"3\""),
            ("W/3", "W/3"),
            ("'3'", "'3'"),
            ("\"3\"x", "x"),
            ("*x", "x"),
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
        let shown = |field| parse(&[field]).expect_err("no tag").valid_example();
        assert_eq!(shown("3"), "\"3\"");
        assert_eq!(shown("\"12"), "\"12\"");
        assert_eq!(shown("*, \"3\""), "*");
        assert!(shown("abc").starts_with("\"7\", if"));
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
