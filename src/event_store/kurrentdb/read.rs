//! Reads: a stream to its proven end, and all streams from a position.

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
use super::client::Supervisor;
use super::connection_string::ConnectionString;
use super::error::Failure;
use super::{Attempts, position};
use crate::event_store::{
    Appended, AtPosition, EventStoreError, GlobalPosition, RecordedEvent, StreamName,
    StreamRevision, StreamSlice,
};

/// The server counts revisions in an `i64`; greater ones make it fail.
const LAST_REVISION: u64 = i64::MAX as u64 - 1;

/// The same for positions.
const LAST_POSITION: u64 = i64::MAX as u64 - 1;

/// Reads, again while the answer does not come: a read changes nothing.
///
/// In a task of its own, so that a call that fails is learnt from also when nobody waits for
/// it any more, and a panic in the crate fails one call.
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
                    format!("an answer to another question: {failure:?}")
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

/// What there is of a stream.
pub(super) enum Reading {
    /// Its events; none when nobody has written to it.
    Slice(StreamSlice),
    /// It was deleted, softly or for good.
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
        // A soft-deleted stream is "not found" like one that was never written.
        Err(Failure::Missing) if is_soft_deleted(&client, &connection, &stream).await? => {
            Ok(Reading::Deleted)
        }
        Err(Failure::Missing) => Ok(Reading::Slice(StreamSlice::default())),
        Err(Failure::Deleted) => Ok(Reading::Deleted),
        Err(failure) => Err(failure),
    }
}

/// An answer that was cut short looks like one that ended, so the end has to be told: the
/// server sends the last revision after the last event.
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
    let options = connection.sign(options, ReadStreamOptions::authenticated);
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
            "the answer for {stream} was cut short"
        )));
    }
    Ok(StreamSlice {
        events,
        last_revision,
    })
}

/// How a soft deletion is recorded in the stream's metadata: as `$tb`, the revision before
/// which everything is gone. The greatest that there is.
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
    let options = connection.sign(options, ReadStreamOptions::authenticated);
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

/// The members of a stream's metadata; none when it is not JSON.
fn stream_settings(metadata: &[u8]) -> HashMap<&str, &RawValue> {
    serde_json::from_slice(metadata).unwrap_or_default()
}

/// Looks for the events of an append at the place where they belong: where the last of them
/// is, if all of them are there.
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
    let options = connection.sign(options, ReadStreamOptions::authenticated);
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
    let options = connection.sign(options, ReadAllOptions::authenticated);
    let mut answer = client.read_all(&options).await?;
    let last = answer.next().await?;
    // A link whose target is gone has a position too.
    let last = last.and_then(|last| last.link.or(last.event));
    Ok(last.map(|event| position(event.position)))
}

/// What a read of all streams came to.
pub(super) enum Page {
    /// The events.
    Events(Vec<RecordedEvent>),
    /// Nothing of these streams is at this position or after it; it may be beyond the end.
    NothingFrom(GlobalPosition),
    /// No database reaches this position.
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
    let Some(after) = after else {
        return up_to(
            &client,
            &connection,
            prefix,
            None,
            StreamPosition::Start,
            limit,
        )
        .await;
    };
    if after.commit() > LAST_POSITION {
        return Ok(Page::BeyondHead(after));
    }
    let Some(start) = valid(after) else {
        return Ok(Page::NoEventAt(after));
    };
    match up_to(&client, &connection, prefix, Some(after), start, limit).await {
        Err(Failure::InvalidArgument(_)) => Ok(Page::NoEventAt(after)),
        outcome => outcome,
    }
}

/// Reads on until there are as many events as wanted: among those that the server counts are
/// some of its own.
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
        let options = connection.sign(options, ReadAllOptions::authenticated);
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
    let options = connection.sign(options, ReadAllOptions::authenticated);
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

/// The position as the server takes it; `None` for one that it could never have given. It
/// counts in an `i64`, fails on greater numbers and on a prepare position after the commit.
fn valid(position: GlobalPosition) -> Option<StreamPosition<Position>> {
    let (commit, prepare) = (position.commit(), position.prepare());
    let is_valid = commit <= LAST_POSITION && prepare <= commit;
    is_valid.then_some(StreamPosition::Position(Position { commit, prepare }))
}

/// The streams' metadata streams have their names with this before.
pub(super) const METADATA_OF: &str = "$$";

/// What an event of all streams says.
pub(super) enum Heard {
    Event(RecordedEvent),
    /// This stream, or its beginning, is gone or may go from now on.
    Truncated(StreamName),
    /// Another event of the server.
    Other,
}

/// Tells the events of users from those of the server.
pub(super) fn heard(event: ResolvedEvent) -> Heard {
    if let Some(stream) = truncated(&event) {
        return Heard::Truncated(stream);
    }
    match recorded(event, None) {
        Some(event) if !is_of_the_server(&event) => Heard::Event(event),
        Some(_) | None => Heard::Other,
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

/// Types that begin so are the server's.
fn is_of_the_server(event: &RecordedEvent) -> bool {
    event.event_type.starts_with('$')
}

/// The event as we keep it; `None` for what no stream of ours holds: a link to an event that
/// is gone, and the server's own events. A name that is known already is not copied.
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

/// The crate cuts its `created` to whole seconds; the metadata keep what the server sent, in
/// ticks of 100 ns.
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
