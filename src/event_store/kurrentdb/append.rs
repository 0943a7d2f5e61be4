//! Appends: what is sent, how often, and what the answers come to.

use std::sync::Arc;

use kurrentdb::{AppendToStreamOptions, Client, EventData, StreamState, WriteResult};
use serde_json::value::RawValue;

use super::client::Supervisor;
use super::error::Failure;
use super::{Attempts, position};
use crate::event_store::{
    Appended, EventStoreError, ExpectedRevision, NewEvent, StreamName, StreamRevision,
};

/// The server takes an event up to this size, of data, metadata and its type in UTF-16, and
/// answers a larger one as if it had failed.
const LARGEST_EVENT: usize = 16 * 1024 * 1024 - 10_000;

/// The server counts revisions in an `i64`, and fails on greater ones.
const LAST_REVISION: u64 = i64::MAX as u64;

/// Appends, and repeats the append while its outcome is unknown: with the same ids and the
/// same revision the server stores it once, however often it comes.
pub(super) async fn append(
    supervisor: Arc<Supervisor>,
    stream: StreamName,
    expected: ExpectedRevision,
    events: Vec<NewEvent>,
) -> Result<Appended, EventStoreError> {
    let events = events
        .into_iter()
        .map(proposed)
        .collect::<Result<Vec<_>, _>>()?;
    let connection = supervisor.connection();
    let call_timeout = connection.call_timeout();
    let options = AppendToStreamOptions::default()
        .stream_state(state(expected))
        .requires_leader(true)
        .deadline(call_timeout);
    let options = connection.sign(options, AppendToStreamOptions::authenticated);
    let mut attempts = Attempts::new(call_timeout);
    let mut unknown = None;
    loop {
        let lease = match supervisor.lease().await {
            Ok(lease) => lease,
            Err(error) => return Err(unknown.map_or(error, outcome_unknown)),
        };
        let send = |client| send(client, &stream, &options, events.clone());
        let reason = match lease.call(call_timeout, send).await {
            Ok(written) => {
                return Ok(Appended {
                    revision: StreamRevision::new(written.next_expected_version),
                    position: position(written.position),
                });
            }
            // Also after an attempt whose outcome was unknown: had that been stored, its ids
            // would be there and this one a repetition.
            Err(Failure::Conflict(actual)) => {
                return Err(EventStoreError::WrongExpectedRevision {
                    stream,
                    expected,
                    actual,
                });
            }
            Err(Failure::Deleted) => return Err(EventStoreError::StreamDeleted { stream }),
            Err(Failure::Refused(reason)) => return Err(EventStoreError::Refused { reason }),
            Err(Failure::Unknown(reason)) => {
                unknown = Some(reason.clone());
                reason
            }
            Err(Failure::NotDone(reason) | Failure::ClientDead(reason)) => reason,
            Err(Failure::Missing) => "the node knows no leader".to_owned(),
        };
        drop(lease);
        if !attempts.another().await {
            return Err(match unknown {
                Some(reason) => outcome_unknown(reason),
                None => EventStoreError::unavailable(reason),
            });
        }
    }
}

fn outcome_unknown(reason: String) -> EventStoreError {
    EventStoreError::OutcomeUnknown { reason }
}

async fn send(
    client: Client,
    stream: &StreamName,
    options: &AppendToStreamOptions,
    events: Vec<EventData>,
) -> Result<WriteResult, Failure> {
    let written = client.append_to_stream(stream.as_str(), options, events);
    Ok(written.await?)
}

fn state(expected: ExpectedRevision) -> StreamState {
    match expected {
        ExpectedRevision::NoStream => StreamState::NoStream,
        ExpectedRevision::Exact(revision) => {
            StreamState::StreamRevision(revision.number().min(LAST_REVISION))
        }
    }
}

/// The event as the crate takes it, always with its id: without one the crate makes up a new
/// id for each attempt, and a repetition would be stored again.
fn proposed(event: NewEvent) -> Result<EventData, EventStoreError> {
    if event.event_type.is_empty() || event.id.is_nil() {
        return Err(refused("an event without a type or an id"));
    }
    let size = event.data.len() + event.metadata.len() + 2 * event.event_type.len();
    if size > LARGEST_EVENT {
        return Err(refused(format!("an event of {size} bytes")));
    }
    // Only the crate's JSON constructor marks the event as JSON; given raw text, it keeps
    // every byte.
    let data = match serde_json::from_slice::<&RawValue>(&event.data) {
        Ok(json) if json.get().len() == event.data.len() => {
            EventData::json(event.event_type, &json).map_err(|error| refused(error.to_string()))?
        }
        Ok(_) | Err(_) => EventData::binary(event.event_type, event.data),
    };
    Ok(data.id(event.id).metadata(event.metadata))
}

fn refused(reason: impl Into<String>) -> EventStoreError {
    EventStoreError::Refused {
        reason: reason.into(),
    }
}
