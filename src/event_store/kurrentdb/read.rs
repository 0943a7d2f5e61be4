//! Reads: a whole stream, checked for completeness, and all streams from a position.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kurrentdb::{
    Client, Position, ReadAllOptions, ReadEvent, ReadStreamOptions, ResolvedEvent, StreamPosition,
    SubscriptionFilter,
};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::access::Call;
use super::attempts::Attempts;
use super::client::Supervisor;
use super::connection_string::ConnectionString;
use super::error::Failure;
use super::position::position;
use crate::event_store::{
    Appended, AtPosition, EventStoreError, GlobalPosition, RecordedEvent, StreamName,
    StreamRevision, StreamSlice,
};

/// The greatest revision to read from. The server stores revisions as `i64` and fails on greater
/// ones.
const LAST_REVISION: u64 = i64::MAX as u64 - 1;

/// The greatest position to read from, for the same reason.
const LAST_POSITION: u64 = i64::MAX as u64 - 1;

/// Makes a call that may be repeated, such as a read, and repeats it after failures that may be temporary.
///
/// It runs in its own task. So a failure is recorded even if the caller no longer waits, and a
/// panic in the crate fails only this call.
pub(super) async fn attempt<T, F>(
    supervisor: &Arc<Supervisor>,
    kind: Call,
    limit: Duration,
    call: impl Fn(Client, Arc<ConnectionString>) -> F + Send + Sync + 'static,
) -> Result<T, EventStoreError>
where
    F: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + 'static,
{
    let supervisor = supervisor.clone();
    let attempts = async move {
        let mut attempts = Attempts::new(limit);
        loop {
            let lease = supervisor.lease().await?;
            let call = |client| call(client, supervisor.connection().clone());
            let reason = match lease.call(limit, call).await {
                Ok(read) => return Ok(read),
                Err(Failure::Refused(reason) | Failure::InvalidArgument(reason)) => {
                    return Err(EventStoreError::Refused { reason });
                }
                Err(Failure::Denied) => return Err(supervisor.denied(kind)),
                Err(
                    Failure::Unknown(reason)
                    | Failure::GivenUp(reason)
                    | Failure::NotDone(reason)
                    | Failure::ClientDead(reason),
                ) => reason,
                Err(failure @ (Failure::Missing | Failure::Deleted | Failure::Conflict(_))) => {
                    format!("unexpected answer: {failure:?}")
                }
            };
            drop(lease);
            if !attempts.another().await {
                return Err(EventStoreError::unavailable(reason));
            }
        }
    };
    tokio::spawn(attempts)
        .await
        .unwrap_or_else(|error| Err(EventStoreError::unavailable(error)))
}

/// The result of reading a stream.
pub(super) enum Reading {
    /// Its events; none when the stream does not exist.
    Slice(StreamSlice),
    /// The stream was soft-deleted or tombstoned.
    Deleted,
}

/// Reads the stream to its end.
pub(super) async fn stream(
    client: Client,
    connection: Arc<ConnectionString>,
    stream: StreamName,
    from: StreamRevision,
) -> Result<Reading, Failure> {
    match to_the_end(&client, &connection, &stream, from).await {
        Ok(slice) => Ok(Reading::Slice(slice)),
        // The server reports a soft-deleted stream as "not found", like one that never existed.
        Err(Failure::Missing) if is_soft_deleted(&client, &connection, &stream).await? => {
            Ok(Reading::Deleted)
        }
        Err(Failure::Missing) => Ok(Reading::Slice(StreamSlice::default())),
        Err(Failure::Deleted) => Ok(Reading::Deleted),
        Err(failure) => Err(failure),
    }
}

/// Reads to the end of the stream, and fails if the answer is incomplete. An answer that was cut
/// short looks like one that ended, so the last revision is required: the server sends it after
/// the last event.
async fn to_the_end(
    client: &Client,
    connection: &ConnectionString,
    stream: &StreamName,
    from: StreamRevision,
) -> Result<StreamSlice, Failure> {
    let from = from.number().min(LAST_REVISION);
    let options = ReadStreamOptions::default()
        .position(StreamPosition::Position(from))
        .requires_leader(true);
    let options = connection.authenticate(options, ReadStreamOptions::authenticated);
    let mut answer = client.read_stream(stream.as_str(), &options).await?;
    let mut events: Vec<RecordedEvent> = Vec::new();
    let mut last_revision = None;
    while let Some(message) = answer.next_read_event().await? {
        match message {
            ReadEvent::Event(event) => events.extend(recorded(event, Some(stream))),
            ReadEvent::LastStreamPosition(last) => last_revision = Some(StreamRevision::new(last)),
            ReadEvent::FirstStreamPosition(_) | ReadEvent::LastAllStreamPosition(_) => {}
        }
    }
    let is_whole = events
        .last()
        .is_none_or(|event| last_revision == Some(event.revision));
    if last_revision.is_none() || !is_whole {
        return Err(Failure::Unknown(format!(
            "the answer for {stream} is incomplete"
        )));
    }
    Ok(StreamSlice {
        events,
        last_revision,
    })
}

/// The value of `$tb` in the metadata of a soft-deleted stream. `$tb` is the revision before
/// which all events are deleted; this is the greatest revision.
const DELETED_BEFORE: &str = "9223372036854775807";

async fn is_soft_deleted(
    client: &Client,
    connection: &ConnectionString,
    stream: &StreamName,
) -> Result<bool, Failure> {
    let options = ReadStreamOptions::default()
        .position(StreamPosition::End)
        .max_count(1)
        .requires_leader(true);
    let options = connection.authenticate(options, ReadStreamOptions::authenticated);
    let name = format!("{METADATA_OF}{stream}");
    let mut answer = client.read_stream(name, &options).await?;
    let last = match answer.next().await {
        Ok(last) => last.and_then(|last| last.event),
        Err(kurrentdb::Error::ResourceNotFound) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(last.is_some_and(|last| {
        let settings = stream_settings(&last.data);
        settings.get("$tb").map(|value| value.get()) == Some(DELETED_BEFORE)
    }))
}

/// The members of a stream's metadata; none when it is not a JSON object.
fn stream_settings(metadata: &[u8]) -> HashMap<&str, &RawValue> {
    serde_json::from_slice(metadata).unwrap_or_default()
}

/// Looks for the events of an append at the revisions that they would have. If all of them are
/// there, returns the revision and position of the last one.
pub(super) async fn find(
    client: Client,
    connection: Arc<ConnectionString>,
    stream: StreamName,
    first: StreamRevision,
    ids: Arc<[Uuid]>,
) -> Result<Option<Appended>, Failure> {
    let options = ReadStreamOptions::default()
        .position(StreamPosition::Position(first.number().min(LAST_REVISION)))
        .max_count(ids.len())
        .requires_leader(true);
    let options = connection.authenticate(options, ReadStreamOptions::authenticated);
    let found = async {
        let mut answer = client.read_stream(stream.as_str(), &options).await?;
        let mut last = None;
        for (offset, id) in (0..).zip(ids.iter()) {
            let event = answer.next().await?;
            last = event
                .and_then(|event| recorded(event, Some(&stream)))
                .filter(|event| event.id == *id && event.revision == first.plus(offset));
            if last.is_none() {
                break;
            }
        }
        Ok(last)
    };
    match found.await {
        Ok(last) => Ok(last.map(|last| Appended {
            revision: last.revision,
            position: last.position,
            is_repetition: false,
        })),
        Err(Failure::Missing | Failure::Deleted) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The position of the last event of the whole database.
pub(super) async fn head(
    client: Client,
    connection: Arc<ConnectionString>,
) -> Result<Option<GlobalPosition>, Failure> {
    let options = ReadAllOptions::default()
        .position(StreamPosition::End)
        .max_count(1)
        .requires_leader(true);
    let options = connection.authenticate(options, ReadAllOptions::authenticated);
    let mut answer = client.read_all(&options).await?;
    let last = answer.next().await?;
    // A link to a deleted event has a position too.
    let last = last.and_then(|last| last.link.or(last.event));
    Ok(last.map(|event| position(event.position)))
}

/// The result of a read of all streams.
pub(super) enum Page {
    /// The events.
    Events(Vec<RecordedEvent>),
    /// These streams have no event at or after this position. The position may be after the last
    /// event of the database.
    NothingFrom(GlobalPosition),
    /// The position is greater than any that a database can have.
    BeyondHead(GlobalPosition),
    /// No record begins at this position.
    NoEventAt(GlobalPosition),
}

/// The next events of the streams with this prefix.
pub(super) async fn all(
    client: Client,
    connection: Arc<ConnectionString>,
    prefix: &'static str,
    after: Option<GlobalPosition>,
    limit: usize,
) -> Result<Page, Failure> {
    let start = match after {
        None => StreamPosition::Start,
        Some(after) if after.commit() > LAST_POSITION => return Ok(Page::BeyondHead(after)),
        Some(after) => match valid(after) {
            Some(start) => start,
            None => return Ok(Page::NoEventAt(after)),
        },
    };
    let outcome = up_to(&client, &connection, prefix, after, start, limit).await;
    match (outcome, after) {
        (Err(Failure::InvalidArgument(_)), Some(after)) => Ok(Page::NoEventAt(after)),
        (outcome, _) => outcome,
    }
}

/// Reads until there are `limit` events. One call may not be enough, because the server also
/// counts its own events.
async fn up_to(
    client: &Client,
    connection: &ConnectionString,
    prefix: &'static str,
    after: Option<GlobalPosition>,
    mut start: StreamPosition<Position>,
    limit: usize,
) -> Result<Page, Failure> {
    let mut seen = after;
    let mut is_empty = true;
    let mut events = Vec::new();
    loop {
        // A read includes the event at the position that it starts from.
        let count = (limit - events.len()).saturating_add(1);
        let options = ReadAllOptions::default()
            .position(start)
            .filter(SubscriptionFilter::on_stream_name().add_prefix(prefix))
            .max_count(count)
            .requires_leader(true);
        let options = connection.authenticate(options, ReadAllOptions::authenticated);
        let mut answer = client.read_all(&options).await?;
        let mut received = 0;
        while let Some(event) = answer.next().await? {
            received += 1;
            let Some(at) = event.event.as_ref().map(|event| event.position) else {
                continue;
            };
            start = StreamPosition::Position(at);
            if Some(position(at)) > seen {
                seen = Some(position(at));
                events.extend(recorded(event, None).filter(|event| !is_of_the_server(event)));
            }
        }
        is_empty &= received == 0;
        if events.len() >= limit || received < count {
            events.truncate(limit);
            return Ok(match after {
                Some(after) if is_empty => Page::NothingFrom(after),
                Some(_) | None => Page::Events(events),
            });
        }
    }
}

/// The event at exactly this position.
pub(super) async fn at(
    client: Client,
    connection: Arc<ConnectionString>,
    at: GlobalPosition,
) -> Result<AtPosition, Failure> {
    let Some(start) = valid(at) else {
        return Ok(AtPosition::Nothing);
    };
    let options = ReadAllOptions::default()
        .position(start)
        .max_count(1)
        .requires_leader(true);
    let options = connection.authenticate(options, ReadAllOptions::authenticated);
    let first = async {
        let mut answer = client.read_all(&options).await?;
        Ok(answer.next().await?)
    };
    let first = match first.await {
        Ok(Some(first)) => recorded(first, None).filter(|event| event.position == at),
        Ok(None) | Err(Failure::InvalidArgument(_)) => return Ok(AtPosition::Nothing),
        Err(failure) => return Err(failure),
    };
    Ok(first.map_or(AtPosition::Removed, AtPosition::Event))
}

/// Converts the position for the server; `None` for one that the server can never have given. It
/// stores positions as `i64`, and fails on greater numbers and on a prepare position that is
/// greater than the commit position.
fn valid(position: GlobalPosition) -> Option<StreamPosition<Position>> {
    let (commit, prepare) = (position.commit(), position.prepare());
    let is_valid = commit <= LAST_POSITION && prepare <= commit;
    is_valid.then_some(StreamPosition::Position(Position { commit, prepare }))
}

/// The metadata stream of a stream has the stream's name with this prefix.
pub(super) const METADATA_OF: &str = "$$";

/// The kinds of events in `$all`.
pub(super) enum EventKind {
    /// An event of a user.
    User(RecordedEvent),
    /// This stream or its first events were deleted, or may be deleted from now on.
    Truncated(StreamName),
    /// Another event of the server.
    Other,
}

/// Distinguishes the events of users from those of the server.
pub(super) fn classify(event: ResolvedEvent) -> EventKind {
    if let Some(stream) = truncated(&event) {
        return EventKind::Truncated(stream);
    }
    match recorded(event, None) {
        Some(event) if !is_of_the_server(&event) => EventKind::User(event),
        Some(_) | None => EventKind::Other,
    }
}

fn truncated(event: &ResolvedEvent) -> Option<StreamName> {
    let event = event.event.as_ref()?;
    let stream = match (
        event.stream_id().strip_prefix(METADATA_OF),
        &*event.event_type,
    ) {
        (None, "$streamDeleted") => event.stream_id(),
        (Some(stream), "$metadata") => {
            let settings = stream_settings(&event.data);
            let truncates = |name| settings.contains_key(name);
            ["$tb", "$maxCount", "$maxAge"]
                .into_iter()
                .any(truncates)
                .then_some(stream)?
        }
        (None | Some(_), _) => return None,
    };
    StreamName::new(stream).ok()
}

/// Only the server's own event types begin with `$`.
fn is_of_the_server(event: &RecordedEvent) -> bool {
    event.event_type.starts_with('$')
}

/// Converts an event of the crate. `None` for a link to a deleted event, and for an event in a
/// stream of the server. If the stream is `known`, its name is shared instead of copied.
pub(super) fn recorded(event: ResolvedEvent, known: Option<&StreamName>) -> Option<RecordedEvent> {
    let event = event.event?;
    let stream = match known {
        Some(stream) => stream.clone(),
        None => StreamName::new(event.stream_id()).ok()?,
    };
    Some(RecordedEvent {
        id: event.id,
        stream,
        revision: StreamRevision::new(event.revision),
        position: position(event.position),
        recorded_at: recorded_at(&event),
        event_type: event.event_type.into(),
        data: event.data,
        metadata: event.custom_metadata,
    })
}

/// The time at which the server recorded the event. The crate's `created` has only whole seconds.
/// The metadata has the server's full value, in ticks of 100 ns.
fn recorded_at(event: &kurrentdb::RecordedEvent) -> DateTime<Utc> {
    const TICKS: i64 = 10_000_000;
    let ticks = event.metadata.get("created");
    ticks
        .and_then(|ticks| ticks.parse::<i64>().ok())
        .and_then(|ticks| {
            let nanoseconds = u32::try_from(ticks.rem_euclid(TICKS) * 100).ok()?;
            DateTime::from_timestamp(ticks.div_euclid(TICKS), nanoseconds)
        })
        .unwrap_or(event.created)
}
