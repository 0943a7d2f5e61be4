//! Appends: sends them, retries them, and interprets the answers.

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

/// The largest event that the server accepts, in bytes: data, metadata, and the type in UTF-16.
/// It answers a larger one as if the server had failed.
const LARGEST_EVENT: usize = 16 * 1024 * 1024 - 10_000;

/// The server stores revisions as `i64` and fails on greater ones.
const LAST_REVISION: u64 = i64::MAX as u64;

/// How long an append waits for its answer before it looks for its events in the stream. A
/// server that takes longer seldom answers at all.
const FIRST_LOOK_AFTER: Duration = Duration::from_millis(100);

/// The pauses before the next looks. They double.
const SECOND_LOOK: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// Appends the events, and repeats the append while its outcome is unknown. The server stores
/// an append with the same ids and the same revision only once, however often it is sent.
pub(super) async fn append(
    supervisor: Arc<Supervisor>,
    stream: StreamName,
    expected: ExpectedRevision,
    events: Vec<NewEvent>,
) -> Result<Appended, EventStoreError> {
    for event in &events {
        check_event(event)?;
    }
    let append = Append {
        ids: events.iter().map(|event| event.id).collect(),
        events,
        stream,
        expected,
    };
    append.until_known(&supervisor).await
}

/// An append, as it is sent.
struct Append {
    stream: StreamName,
    expected: ExpectedRevision,
    ids: Arc<[Uuid]>,
    events: Vec<NewEvent>,
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
                // A conflict is certain even after an attempt whose outcome was unknown. If that
                // attempt had been stored, the server would recognise this one as a repetition.
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
                Ok(Err(Failure::Missing)) => "the node does not know the leader".to_owned(),
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
        let options = connection.authenticate(options, AppendToStreamOptions::authenticated);
        let sent = lease.call(call_timeout, |client| self.send(client, &options));
        let written = tokio::select! {
            written = sent => written,
            found = self.look_until_found(supervisor) => return Ok(Ok(found)),
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
        // Made for each attempt, because a clone of the crate's type costs as much.
        let events: Vec<_> = self.events.iter().map(proposed).collect();
        let written = client.append_to_stream(self.stream.as_str(), options, events);
        Ok(written.await?)
    }

    /// Looks for the events in the stream until they are found. This helps when another replica
    /// sent the same append a moment before: the server then drops this one, and answers it only
    /// after two seconds.
    async fn look_until_found(&self, supervisor: &Arc<Supervisor>) -> Appended {
        tokio::time::sleep(FIRST_LOOK_AFTER).await;
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

    /// Checks that the events were stored at the expected revision. In a soft-deleted stream, the
    /// server stores new events after the deleted ones. If the ids are those of deleted events,
    /// it reports success, without a position, and stores nothing.
    async fn check(
        &self,
        supervisor: &Arc<Supervisor>,
        written: WriteResult,
    ) -> Result<Appended, EventStoreError> {
        let appended = Appended {
            revision: StreamRevision::new(written.next_expected_version),
            position: position(written.position),
            is_repetition: false,
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

fn check_event(event: &NewEvent) -> Result<(), EventStoreError> {
    if event.event_type.is_empty() || event.id.is_nil() {
        return Err(refused("an event has no type or no id"));
    }
    let size = event.data.len() + event.metadata.len() + 2 * event.event_type.len();
    match size > LARGEST_EVENT {
        true => Err(refused(format!(
            "an event of {size} bytes is larger than {LARGEST_EVENT} bytes"
        ))),
        false => Ok(()),
    }
}

/// Converts the event to the crate's type, always with its id. Without an id, the crate
/// generates a new one for each attempt, and a repeated append would be stored again.
fn proposed(event: &NewEvent) -> EventData {
    // Only the crate's JSON constructor marks the event as JSON. With a `RawValue` it keeps
    // every byte.
    let json = serde_json::from_slice::<&RawValue>(&event.data).ok();
    let json = json.filter(|json| json.get().len() == event.data.len());
    let data = json.and_then(|json| EventData::json(&*event.event_type, &json).ok());
    data.unwrap_or_else(|| EventData::binary(&*event.event_type, event.data.clone()))
        .id(event.id)
        .metadata(event.metadata.clone())
}

fn refused(reason: impl Into<String>) -> EventStoreError {
    EventStoreError::Refused {
        reason: reason.into(),
    }
}
