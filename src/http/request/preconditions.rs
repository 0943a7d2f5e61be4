//! `If-Match` and `If-None-Match` on writes: the revisions that the client expects or excludes.

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, HeaderValue};

use super::entity_tag::{EntityTag, InvalidTags, Tags, invalid_precondition};
use super::if_none_match::IfNoneMatch;
use crate::application::{Precondition, Revisions};
use crate::event_store::StreamRevision;
use crate::http::problem::Problem;

/// The most tags in `If-Match`.
const MOST_TAGS: usize = 16;

/// The precondition that these header fields express.
pub(crate) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let if_match = if_match(headers)?;
    let if_none_match = IfNoneMatch::tags(headers)?;
    Ok(Precondition {
        expected: if_match.as_ref().and_then(latest),
        at: if_match.map(|tags| revisions(&tags, |tag| !tag.is_weak)),
        // A write changes every representation, so weak tags count too.
        not_at: if_none_match.map(|tags| revisions(&tags, |_| true)),
        is_required: false,
    })
}

/// The tags of `If-Match`. Each must have the form of this service's tags. Any other tag is a mistake of the
/// client (400), not a failed precondition (412).
fn if_match(headers: &HeaderMap) -> Result<Option<Tags>, Problem> {
    if !headers.contains_key(IF_MATCH) {
        return Ok(None);
    }
    let fields = headers.get_all(IF_MATCH).iter();
    Tags::parse(fields.map(HeaderValue::as_bytes))
        .and_then(|tags| {
            if let Tags::Listed(listed) = &tags {
                if listed.len() > MOST_TAGS {
                    return Err(InvalidTags::TooMany(MOST_TAGS));
                }
                if let Some(foreign) = listed.iter().find(|tag| tag.revision().is_none()) {
                    return Err(InvalidTags::NoRevision(foreign.clone()));
                }
            }
            Ok(Some(tags))
        })
        .map_err(|invalid| invalid_precondition("If-Match", &invalid))
}

fn revisions(tags: &Tags, counts: impl Fn(&EntityTag) -> bool) -> Revisions {
    match tags {
        Tags::Any => Revisions::Every,
        Tags::Listed(tags) => {
            let counted = tags.iter().filter(|tag| counts(tag));
            Revisions::Listed(counted.filter_map(EntityTag::revision).collect())
        }
    }
}

/// The revision in the field, if its value is a single strong tag; otherwise `None`.
pub(crate) fn only_revision(if_match: &HeaderValue) -> Option<StreamRevision> {
    match Tags::parse([if_match.as_bytes()].into_iter()) {
        Ok(Tags::Listed(tags)) => match tags.as_slice() {
            [tag] if !tag.is_weak => tag.revision(),
            _ => None,
        },
        Ok(Tags::Any) | Err(_) => None,
    }
}

fn latest(tags: &Tags) -> Option<StreamRevision> {
    match tags {
        Tags::Any => None,
        Tags::Listed(tags) => tags.iter().filter_map(EntityTag::revision).max(),
    }
}
