//! Reads: a stream to its proven end, and the last position of all.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kurrentdb::{
    Client, Position, ReadAllOptions, ReadEvent, ReadStreamOptions, ResolvedEvent, StreamPosition,
    SubscriptionFilter,
};

use super::client::Supervisor;
use super::connection_string::ConnectionString;
use super::error::Failure;
use super::{Attempts, position};
use crate::event_store::{
    AtPosition, EventStoreError, GlobalPosition, RecordedEvent, StreamName, StreamRevision,
    StreamSlice,
};

/// The server counts revisions in an `i64`; greater ones make it fail.
const LAST_REVISION: u64 = i64::MAX as u64 - 1;

/// Reads, again while the answer does not come: a read changes nothing.
///
/// In a task of its own, so that a call that fails is learnt from also when nobody waits for
/// it any more, and a panic in the crate fails one call.
pub(super) async fn attempt<T, F>(
    supervisor: &Arc<Supervisor>,
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
                Err(Failure::Refused(reason)) => return Err(EventStoreError::Refused { reason }),
                Err(
                    Failure::Unknown(reason)
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
    /// It was tombstoned.
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
    Ok(last
        .and_then(|last| last.event)
        .map(|event| position(event.position)))
}

/// The next events of the streams with this prefix.
pub(super) async fn all(
    client: Client,
    connection: Arc<ConnectionString>,
    prefix: &'static str,
    after: Option<GlobalPosition>,
    limit: usize,
) -> Result<Vec<RecordedEvent>, Failure> {
    let options = forwards_from(after)
        .filter(SubscriptionFilter::on_stream_name().add_prefix(prefix))
        // A read includes the event at the position that it starts from.
        .max_count(limit.saturating_add(1));
    let options = connection.sign(options, ReadAllOptions::authenticated);
    let mut answer = client.read_all(&options).await?;
    let mut events = Vec::new();
    while let Some(event) = answer.next().await? {
        let event = recorded(event, None).filter(|event| Some(event.position) > after);
        events.extend(event);
    }
    events.truncate(limit);
    Ok(events)
}

/// The event at exactly this position.
pub(super) async fn at(
    client: Client,
    connection: Arc<ConnectionString>,
    at: GlobalPosition,
) -> Result<AtPosition, Failure> {
    let options = forwards_from(Some(at)).max_count(1);
    let options = connection.sign(options, ReadAllOptions::authenticated);
    let mut answer = client.read_all(&options).await?;
    let Some(first) = answer.next().await? else {
        return Ok(AtPosition::Nothing);
    };
    let first = recorded(first, None).filter(|event| event.position == at);
    Ok(first.map_or(AtPosition::Removed, AtPosition::Event))
}

fn forwards_from(start: Option<GlobalPosition>) -> ReadAllOptions {
    let start = start.map_or(StreamPosition::Start, |start| {
        StreamPosition::Position(Position {
            commit: start.commit(),
            prepare: start.prepare(),
        })
    });
    ReadAllOptions::default()
        .position(start)
        .requires_leader(true)
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
