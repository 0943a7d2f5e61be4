//! The node's log: the written events, and how many of them are committed and readable.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use uuid::Uuid;

use super::stored::{Proposal, Stored, ticks};
use super::stream_metadata::Limits;
use super::wire::Position;

/// The record at position 0 is the database's own. So no event has that position.
const FIRST_EVENT: u64 = 142;

/// The revision that the server gives the tombstone of a stream.
pub const TOMBSTONE: u64 = i64::MAX as u64;

/// How many events of the log are committed and readable.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Identifies the database. A restored backup counts as another one.
    pub era: u64,
    /// The number of committed events. Their appends are answered.
    pub committed: usize,
    /// The number of events that reads and subscriptions see. Never more than are committed.
    pub readable: usize,
}

/// Events in the order in which they were written. An append conflicts with all written events;
/// reads and subscriptions see readable events only.
#[derive(Debug, Default, Clone)]
pub struct Log {
    pub events: Vec<Stored>,
    /// For each stream, the indexes of its events in the log, by revision.
    streams: HashMap<String, Vec<usize>>,
    tombstones: HashMap<String, usize>,
    scavenged: HashSet<usize>,
    /// The ids and revisions that the node keeps in memory until it is restarted.
    recent: HashMap<(String, Uuid), u64>,
    progress: Progress,
    /// How far the node's clock is ahead of ours.
    ahead: Duration,
}

impl Log {
    /// The indexes of the stream's events in the log, oldest first.
    pub fn stream(&self, name: &str) -> &[usize] {
        self.streams.get(name).map_or(&[], Vec::as_slice)
    }

    /// The indexes of the stream's events among the first `count` events of the log.
    pub fn stream_among(&self, name: &str, count: usize) -> &[usize] {
        let places = self.stream(name);
        &places[..places.partition_point(|place| *place < count)]
    }

    pub fn is_tombstoned_among(&self, name: &str, count: usize) -> bool {
        // The metadata stream of a tombstoned stream counts as tombstoned, too.
        [Some(name), name.strip_prefix("$$")]
            .into_iter()
            .flatten()
            .filter_map(|name| self.tombstones.get(name))
            .any(|place| *place < count)
    }

    pub fn is_scavenged(&self, place: usize) -> bool {
        self.scavenged.contains(&place)
    }

    /// The revision of this event of the stream, if the node has it in memory.
    pub fn recent(&self, stream: &str, id: Uuid) -> Option<u64> {
        self.recent.get(&(stream.to_owned(), id)).copied()
    }

    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Moves the node's clock forward.
    pub fn pass_time(&mut self, time: Duration) {
        self.ahead += time;
    }

    /// The time on the node's clock, in ticks of 100 ns since 1970.
    pub(super) fn now(&self) -> u64 {
        let now = SystemTime::now() + self.ahead;
        let now = now.duration_since(SystemTime::UNIX_EPOCH);
        ticks(now.expect("the clock is past 1970"))
    }

    /// The position of the record after the first `count` events.
    pub fn end_of(&self, count: usize) -> u64 {
        let last = count.checked_sub(1).map(|last| &self.events[last]);
        last.map_or(FIRST_EVENT, Stored::end)
    }

    /// Writes an event at the end of its stream.
    pub fn write(&mut self, stream: &str, proposal: Proposal) -> &Stored {
        let places = self.streams.entry(stream.to_owned()).or_default();
        let revision = places.len() as u64;
        places.push(self.events.len());
        self.write_at(stream, revision, proposal)
    }

    /// Writes a tombstone, which deletes the stream for ever.
    pub fn tombstone(&mut self, stream: &str) -> Position {
        self.tombstones.insert(stream.to_owned(), self.events.len());
        let tombstone = Proposal {
            id: Uuid::now_v7(),
            event_type: "$streamDeleted".to_owned(),
            content_type: "application/octet-stream".to_owned(),
            data: Bytes::new(),
            metadata: Bytes::new(),
        };
        self.write_at(stream, TOMBSTONE, tombstone).position
    }

    fn write_at(&mut self, stream: &str, revision: u64, proposal: Proposal) -> &Stored {
        let begin = self.end_of(self.events.len());
        let created = self.now();
        self.recent
            .insert((stream.to_owned(), proposal.id), revision);
        self.events.push(Stored {
            id: proposal.id,
            stream: stream.to_owned(),
            revision,
            position: Position {
                commit: begin,
                prepare: begin,
            },
            event_type: proposal.event_type,
            content_type: proposal.content_type,
            data: proposal.data,
            metadata: proposal.metadata,
            created,
        });
        self.events.last().expect("it was just pushed")
    }

    /// Commits the first `count` events.
    pub fn commit(&mut self, count: usize) {
        self.progress.committed = self.progress.committed.max(count);
    }

    /// Lets reads and subscriptions see the first `count` events, which are committed.
    pub fn reveal(&mut self, count: usize) {
        self.progress.readable = self.progress.readable.max(count);
    }

    /// Restarts the log: a node that restarts commits all written events, and has no ids in
    /// memory.
    pub fn recover(&mut self) {
        self.recent.clear();
        self.commit(self.events.len());
        self.reveal(self.events.len());
    }

    /// Replaces the content with the snapshot.
    pub fn restore(&mut self, snapshot: &Log) {
        let era = self.progress.era + 1;
        *self = snapshot.clone();
        self.progress.era = era;
        self.recover();
    }

    /// Removes events that can no longer be read from their streams. The last event of a stream
    /// stays, because it holds the stream's revision.
    pub fn scavenge(&mut self) {
        for (stream, places) in &self.streams {
            let Some((_, older)) = places.split_last() else {
                continue;
            };
            if self.tombstones.contains_key(stream) {
                self.scavenged.extend(places);
                continue;
            }
            let first = Limits::of(self, stream, self.events.len()).first_kept(self, places);
            let gone = usize::try_from(first).unwrap_or(usize::MAX);
            self.scavenged.extend(older.iter().take(gone));
        }
    }
}
