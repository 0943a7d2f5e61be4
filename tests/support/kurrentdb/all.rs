//! `$all`: every event of the database, in the order in which they were written. It includes events
//! that were deleted from their streams, until they are scavenged.

use tonic::Status;

use super::log::Log;
use super::stored::Stored;
use super::wire::{AllFrom, Filter, FromPosition, Position, ReadContent};

/// Which events of `$all` a reader asked for.
pub(super) struct Wanted {
    /// The prefixes of stream names to include; empty for all events.
    prefixes: Vec<String>,
}

impl Wanted {
    pub(super) fn of(filter: Filter) -> Result<Wanted, Status> {
        let streams = filter.stream.unwrap_or_default();
        if filter.event_type.is_some() || !streams.regex.is_empty() {
            return Err(Status::unimplemented("the double filters by prefix only"));
        }
        Ok(Wanted {
            prefixes: streams.prefixes,
        })
    }

    pub(super) fn has(&self, event: &Stored) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|p| event.stream.starts_with(p))
    }
}

/// The number of readable events before this position. An error when no record begins at the
/// position, unless it is beyond the last record.
pub(super) fn before(log: &Log, position: Position) -> Result<usize, Status> {
    let readable = log.progress().readable;
    let events = &log.events[..readable];
    let before = events.partition_point(|event| event.position < position);
    let is_of_an_event = events
        .get(before)
        .is_some_and(|event| event.position == position);
    let is_first_record = position == Position::default();
    let is_beyond = position.commit >= log.end_of(readable);
    if is_of_an_event || is_first_record || is_beyond {
        return Ok(before);
    }
    let text = "Trying to read from an invalid position.";
    Err(Status::invalid_argument(text))
}

/// A forward read begins with the event at the position, a backward read with the one before it.
pub(super) fn read_all(
    log: &Log,
    from: AllFrom,
    wanted: &Wanted,
    backwards: bool,
    count: u64,
) -> Result<Vec<ReadContent>, Status> {
    let readable = log.progress().readable;
    let start = match from.from {
        Some(FromPosition::Position(position)) => before(log, position)?,
        Some(FromPosition::End(_)) => readable,
        Some(FromPosition::Start(_)) | None => 0,
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let event = |place: usize| {
        let event = &log.events[place];
        let is_wanted = wanted.has(event) && !log.is_scavenged(place);
        is_wanted.then(|| ReadContent::Event(event.to_wire()))
    };
    Ok(if backwards {
        (0..start).rev().filter_map(event).take(count).collect()
    } else {
        (start..readable).filter_map(event).take(count).collect()
    })
}
