//! `If-Match` and `If-None-Match` on writes: what the client expects of the game, and how it
//! hears that the game is elsewhere.

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, HeaderValue};

use super::entity_tag::{EntityTag, InvalidTags, Tags};
use super::if_none_match::IfNoneMatch;
use super::invalid_precondition;
use crate::application::{HistoricEvent, Precondition, Revisions};
use crate::event_store::StreamRevision;
use crate::http::event_view::EventView;
use crate::http::problem::Problem;
use crate::http::problem_type::ProblemType;

/// How many tags `If-Match` may hold.
const MOST_TAGS: usize = 16;

/// How many events an answer tells to a client that missed some. A game has 44.
const MOST_MISSED: usize = 50;

/// The conditions that these header fields make.
pub(in crate::http) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let if_match = if_match(headers)?;
    let if_none_match = IfNoneMatch::tags(headers)?;
    Ok(Precondition {
        expected: if_match.as_ref().and_then(latest),
        at: if_match.map(|tags| revisions(&tags, |tag| !tag.is_weak)),
        // A write changes every representation, so each one's tag counts.
        not_at: if_none_match.map(|tags| revisions(&tags, |_| true)),
        is_required: false,
    })
}

/// The tags of `If-Match`. Each has to be one that this service could have given out: another
/// is a mistake which the client should hear of, not a state of the game.
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

/// The one revision that a field names with a strong tag; `None` if it says anything else.
pub(in crate::http) fn only_revision(if_match: &HeaderValue) -> Option<StreamRevision> {
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

/// The game is not where the client expects it. What the client missed comes along, so that it
/// need not ask.
pub(in crate::http) fn revision_mismatch(
    precondition: &Precondition,
    current: Option<StreamRevision>,
    missed: &[HistoricEvent],
) -> Problem {
    let only_weak = matches!(&precondition.at, Some(Revisions::Listed(at)) if at.is_empty());
    let stands = match current {
        Some(revision) => format!("The game is at revision {revision}"),
        None => "There is no such game".to_owned(),
    };
    let advice = if only_weak {
        "weak tags, W/\"…\", never match in If-Match. Send the ETag as it was given."
    } else {
        "which the request rules out. Nothing was done. missed_events tell what happened in \
         between; go by them and by the ETag of this answer."
    };
    let missed: Vec<_> = missed.iter().take(MOST_MISSED).map(EventView::of).collect();
    let problem = Problem::new(ProblemType::RevisionMismatch, format!("{stands}, {advice}"))
        .with(
            "expected",
            precondition.expected.map(StreamRevision::number),
        )
        .with("current_revision", current.map(StreamRevision::number))
        .with("missed_events", missed);
    match current {
        Some(revision) => problem.at_current(revision),
        None => problem,
    }
}

/// This service takes moves and resignations only from clients that say which revision they decided on.
pub(in crate::http) fn precondition_required(current: Option<StreamRevision>) -> Problem {
    let current = current.unwrap_or(StreamRevision::FIRST);
    Problem::new(
        ProblemType::PreconditionRequired,
        format!(
            "Say which revision of the game this is for, in If-Match. \
             If it is the current one, send If-Match: \"{current}\""
        ),
    )
    .with("current_revision", current.number())
    .at_current(current)
}
