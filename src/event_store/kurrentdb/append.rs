//! Appends: what is sent, how often, and what the answers come to.

use std::sync::Arc;
use std::time::Duration;

use kurrentdb::{AppendToStreamOptions, Client, EventData, Position, StreamState, WriteResult};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::access::Call;
use super::attempts::Attempts;
use super::client::Supervisor;
use super::error::Failure;
use super::position::position;
use super::read;
use crate::backoff::Backoff;
use crate::event_store::{
    Appended, EventStoreError, ExpectedRevision, NewEvent, StreamName, StreamRevision,
};

/// The server takes an event up to this size, of data, metadata and its type in UTF-16, and
/// answers a larger one as if it had failed.
const LARGEST_EVENT: usize = 16 * 1024 * 1024 - 10_000;

/// The server counts revisions in an `i64`, and fails on greater ones.
const LAST_REVISION: u64 = i64::MAX as u64;

/// How long an append waits for its answer before it looks for its events in the stream. An
/// answer that takes longer is seldom one.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// Pauses before further looks: they double.
const SECOND_LOOK: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// Appends, and repeats the append while its outcome is unknown: with the same ids and the
/// same revision the server stores it once, however often it comes.
pub(super) async fn append(
    supervisor: Arc<Supervisor>,
    stream: StreamName,
    expected: ExpectedRevision,
    events: Vec<NewEvent>,
) -> Result<Appended, EventStoreError> {
    let append = Append {
        ids: events.iter().map(|event| event.id).collect(),
        events: events
            .into_iter()
            .map(proposed)
            .collect::<Result<Vec<_>, _>>()?,
        stream,
        expected,
    };
    append.until_known(&supervisor).await
}

/// An append on its way.
struct Append {
    stream: StreamName,
    expected: ExpectedRevision,
    ids: Arc<[Uuid]>,
    events: Vec<EventData>,
}

impl Append {
    async fn until_known(&self, supervisor: &Arc<Supervisor>) -> Result<Appended, EventStoreError> {
        let stream = self.stream.clone();
        let mut attempts = Attempts::new(supervisor.connection().call_timeout());
        let mut unknown = None;
        loop {
            let reason = match self.send_or_find(supervisor).await {
                Ok(Ok(appended)) => return Ok(appended),
                Err(error) => return Err(unknown.map_or(error, outcome_unknown)),
                // Also after an attempt whose outcome was unknown: had that been stored, its
                // ids would be there and this one a repetition.
                Ok(Err(Failure::Conflict(actual))) => {
                    return Err(EventStoreError::WrongExpectedRevision {
                        stream,
                        expected: self.expected,
                        actual,
                    });
                }
                Ok(Err(Failure::Deleted)) => return Err(EventStoreError::StreamDeleted { stream }),
                Ok(Err(Failure::Refused(reason) | Failure::InvalidArgument(reason))) => {
                    return Err(EventStoreError::Refused { reason });
                }
                Ok(Err(Failure::Denied)) => {
                    let error = supervisor.denied(Call::Append);
                    return Err(unknown.map_or(error, outcome_unknown));
                }
                Ok(Err(Failure::Unknown(reason) | Failure::GivenUp(reason))) => {
                    unknown = Some(reason.clone());
                    reason
                }
                Ok(Err(Failure::NotDone(reason) | Failure::ClientDead(reason))) => reason,
                Ok(Err(Failure::Missing)) => "the node knows no leader".to_owned(),
            };
            if !attempts.another().await {
                return Err(match unknown {
                    Some(reason) => outcome_unknown(reason),
                    None => EventStoreError::unavailable(reason),
                });
            }
        }
    }

    /// Sends the append and, while there is no answer, looks for its events in the stream.
    async fn send_or_find(
        &self,
        supervisor: &Arc<Supervisor>,
    ) -> Result<Result<Appended, Failure>, EventStoreError> {
        let lease = supervisor.lease().await?;
        let connection = supervisor.connection();
        let call_timeout = connection.call_timeout();
        let options = AppendToStreamOptions::default()
            .stream_state(state(self.expected))
            .requires_leader(true)
            .deadline(call_timeout);
        let options = connection.sign(options, AppendToStreamOptions::authenticated);
        let sent = lease.call(call_timeout, |client| self.send(client, &options));
        let written = tokio::select! {
            written = sent => written,
            found = self.find_in_time(supervisor) => return Ok(Ok(found)),
        };
        drop(lease);
        match written {
            Ok(written) => self.check(supervisor, written).await.map(Ok),
            Err(failure) => Ok(Err(failure)),
        }
    }

    async fn send(
        &self,
        client: Client,
        options: &AppendToStreamOptions,
    ) -> Result<WriteResult, Failure> {
        let written = client.append_to_stream(self.stream.as_str(), options, self.events.clone());
        Ok(written.await?)
    }

    /// Looks for the events until they are there. Another replica may have sent the same
    /// append a moment before: then the server drops this one, and its answer comes after
    /// two seconds.
    async fn find_in_time(&self, supervisor: &Arc<Supervisor>) -> Appended {
        tokio::time::sleep(FIRST_LOOK).await;
        let mut pauses = Backoff::new(SECOND_LOOK, LONGEST_PAUSE);
        loop {
            if let Ok(Some(appended)) = self.find(supervisor).await {
                return appended;
            }
            tokio::time::sleep(pauses.next_pause()).await;
        }
    }

    async fn find(
        &self,
        supervisor: &Arc<Supervisor>,
    ) -> Result<Option<Appended>, EventStoreError> {
        let (stream, ids) = (self.stream.clone(), self.ids.clone());
        let first = self.expected.first_appended();
        let find = move |client, connection| {
            read::find(client, connection, stream.clone(), first, ids.clone())
        };
        let limit = supervisor.connection().call_timeout();
        read::attempt(supervisor, Call::ReadStreams, limit, find).await
    }

    /// Whether the events are where they belong. In a stream that was soft-deleted they are
    /// stored after the deleted ones; if their ids are among those, the server says success,
    /// without a position, and stores nothing.
    async fn check(
        &self,
        supervisor: &Arc<Supervisor>,
        written: WriteResult,
    ) -> Result<Appended, EventStoreError> {
        let appended = Appended {
            revision: StreamRevision::new(written.next_expected_version),
            position: position(written.position),
        };
        let last = self
            .expected
            .first_appended()
            .plus(self.ids.len() as u64 - 1);
        let found = if appended.revision != last {
            None
        } else if written.position == Position::start() {
            // The first event of a database has this position too.
            self.find(supervisor)
                .await
                .map_err(|error| outcome_unknown(error.to_string()))?
        } else {
            Some(appended)
        };
        found.ok_or_else(|| EventStoreError::StreamDeleted {
            stream: self.stream.clone(),
        })
    }
}

fn outcome_unknown(reason: String) -> EventStoreError {
    EventStoreError::OutcomeUnknown { reason }
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
