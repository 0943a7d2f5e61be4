//! Reads: a stream to its proven end, and the last position of all.

use chrono::{DateTime, Utc};
use kurrentdb::{
    Client, ReadAllOptions, ReadEvent, ReadStreamOptions, ResolvedEvent, StreamPosition,
};

use super::connection_string::ConnectionString;
use super::error::Failure;
use super::position;
use crate::event_store::{GlobalPosition, RecordedEvent, StreamName, StreamRevision, StreamSlice};

/// The server counts revisions in an `i64`; greater ones make it fail.
const LAST_REVISION: u64 = i64::MAX as u64 - 1;

/// Reads the stream to its end.
///
/// An answer that was cut short looks like one that ended, so the end has to be told: the
/// server sends the last revision after the last event.
pub(super) async fn read_stream(
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
    client: &Client,
    connection: &ConnectionString,
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
        event_type: event.event_type,
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
