//! The metadata of streams, which can delete and truncate them: `$metadata` events in the stream
//! whose name is `$$` followed by the stream's name.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::log::{Log, TOMBSTONE};
use super::stored::{Proposal, ticks};
use super::wire::Position;

const TRUNCATE_BEFORE: &str = "$tb";

pub(super) fn metadata_stream(stream: &str) -> String {
    format!("$${stream}")
}

/// The limits in a stream's metadata, which say which of its events can be read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    truncate_before: u64,
    max_count: Option<u64>,
    max_age: Option<Duration>,
}

impl Limits {
    /// The stream's limits according to the first `count` events of the log.
    pub(super) fn of(log: &Log, stream: &str, count: usize) -> Limits {
        if stream.starts_with("$$") {
            return Limits {
                max_count: Some(1),
                ..Limits::default()
            };
        }
        let metadata = metadata_of(log, stream, count);
        let number = |key: &str| metadata.get(key).and_then(Value::as_u64);
        Limits {
            truncate_before: number(TRUNCATE_BEFORE).unwrap_or(0),
            max_count: number("$maxCount"),
            max_age: number("$maxAge").map(Duration::from_secs),
        }
    }

    pub(super) fn is_soft_deleted(&self) -> bool {
        self.truncate_before == TOMBSTONE
    }

    /// The first readable revision of a stream with events at these indexes of the log. It may be
    /// beyond the last revision.
    pub(super) fn first_kept(&self, log: &Log, places: &[usize]) -> u64 {
        let beyond_count = self
            .max_count
            .map_or(0, |count| (places.len() as u64).saturating_sub(count));
        let too_old = self.max_age.map_or(0, |age| {
            let oldest = log.now().saturating_sub(ticks(age));
            places.partition_point(|place| log.events[*place].created < oldest) as u64
        });
        self.truncate_before.max(beyond_count).max(too_old)
    }
}

/// The event that a program writes to a stream's metadata stream.
pub(super) fn metadata_event(json: &str) -> Proposal {
    Proposal {
        id: Uuid::now_v7(),
        event_type: "$metadata".to_owned(),
        content_type: "application/json".to_owned(),
        data: Bytes::copy_from_slice(json.as_bytes()),
        metadata: Bytes::new(),
    }
}

fn metadata_of(log: &Log, stream: &str, count: usize) -> Map<String, Value> {
    let places = log.stream_among(&metadata_stream(stream), count);
    let last = places.last().map(|place| &log.events[*place].data);
    last.and_then(|data| serde_json::from_slice(data).ok())
        .unwrap_or_default()
}

impl Log {
    /// Soft-deletes a stream: it can be written to again.
    pub fn delete(&mut self, stream: &str) -> Position {
        let json = format!(r#"{{"{TRUNCATE_BEFORE}":{TOMBSTONE}}}"#);
        self.write(&metadata_stream(stream), metadata_event(&json))
            .position
    }

    /// Lets a soft-deleted stream begin at this revision. Other metadata is kept.
    pub(super) fn undelete(&mut self, stream: &str, first: u64) {
        let mut metadata = metadata_of(self, stream, self.events.len());
        metadata.insert(TRUNCATE_BEFORE.to_owned(), first.into());
        let event = metadata_event(&Value::Object(metadata).to_string());
        self.write(&metadata_stream(stream), event);
    }
}
