//! What the double stores, and the server's rules for storing it (`CheckCommit` in its
//! `IndexWriter.cs`).

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use bytes::Bytes;
use uuid::Uuid;

use super::wire::{self, Expected, Position};

/// An event as it is kept.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: Uuid,
    pub stream: String,
    pub revision: u64,
    pub position: Position,
    pub event_type: String,
    pub content_type: String,
    pub data: Bytes,
    pub metadata: Bytes,
    /// In ticks of 100 ns since 1970.
    pub created: u64,
}

/// An event on its way in.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub id: Uuid,
    pub event_type: String,
    pub content_type: String,
    pub data: Bytes,
    pub metadata: Bytes,
}

/// Why an append was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The stream ends elsewhere: at this revision, or it is absent.
    WrongVersion(Option<u64>),
    Tombstoned,
}

#[derive(Debug, Default)]
pub struct Log {
    pub events: Vec<Stored>,
    streams: HashMap<String, Vec<usize>>,
    tombstoned: HashSet<String>,
    /// What the node remembers for appends at any revision, until it is restarted.
    recent: HashMap<(String, Uuid), u64>,
}

impl Log {
    /// The places of the stream's events, oldest first.
    pub fn stream(&self, name: &str) -> &[usize] {
        self.streams.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn is_tombstoned(&self, name: &str) -> bool {
        self.tombstoned.contains(name)
    }

    pub fn tombstone(&mut self, name: &str) {
        self.tombstoned.insert(name.to_owned());
    }

    pub fn forget_recent(&mut self) {
        self.recent.clear();
    }

    /// The revision and position of the last event of this append, whether it was stored now
    /// or before.
    pub fn append(
        &mut self,
        stream: &str,
        expected: Expected,
        proposals: Vec<Proposal>,
    ) -> Result<(u64, Position), Refusal> {
        if self.is_tombstoned(stream) {
            return Err(Refusal::Tombstoned);
        }
        let length = self.stream(stream).len() as u64;
        let conflict = Refusal::WrongVersion(length.checked_sub(1));
        let first = match expected {
            Expected::NoStream(_) => 0,
            Expected::Revision(revision) => revision.saturating_add(1),
            Expected::StreamExists(_) if length == 0 => return Err(conflict),
            Expected::Any(_) | Expected::StreamExists(_) => {
                let known = self.recent.get(&(stream.to_owned(), proposals[0].id));
                known.copied().unwrap_or(length)
            }
        };
        if first > length {
            return Err(conflict);
        }
        if first == length {
            return Ok(self.store(stream, proposals));
        }
        let places = self.stream(stream);
        let mut last = None;
        for (revision, proposal) in (first as usize..).zip(&proposals) {
            let stored = places.get(revision).map(|place| &self.events[*place]);
            match stored {
                Some(stored) if stored.id == proposal.id => last = Some(stored),
                Some(_) | None => return Err(conflict),
            }
        }
        let last = last.expect("an append has an event");
        Ok((last.revision, last.position))
    }

    fn store(&mut self, stream: &str, proposals: Vec<Proposal>) -> (u64, Position) {
        let mut last = None;
        for proposal in proposals {
            let places = self.streams.entry(stream.to_owned()).or_default();
            let revision = places.len() as u64;
            places.push(self.events.len());
            // Positions are offsets in a file: they grow by what was written.
            let end = self.events.last().map_or(0, |event| {
                event.position.commit + 113 + event.data.len() as u64
            });
            let position = Position {
                commit: end,
                prepare: end,
            };
            self.recent
                .insert((stream.to_owned(), proposal.id), revision);
            self.events.push(Stored {
                id: proposal.id,
                stream: stream.to_owned(),
                revision,
                position,
                event_type: proposal.event_type,
                content_type: proposal.content_type,
                data: proposal.data,
                metadata: proposal.metadata,
                created: ticks(),
            });
            last = Some((revision, position));
        }
        last.expect("an append has an event")
    }
}

fn ticks() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("the clock is past 1970");
    now.as_secs() * 10_000_000 + u64::from(now.subsec_nanos()) / 100
}

impl Proposal {
    /// `None` when the message lacks what the server demands.
    pub fn from_wire(message: wire::Proposed) -> Option<Proposal> {
        let mut metadata = message.metadata;
        Some(Proposal {
            id: message.id?.to_uuid()?,
            event_type: metadata.remove("type")?,
            content_type: metadata.remove("content-type")?,
            data: message.data,
            metadata: message.custom_metadata,
        })
    }
}

impl Stored {
    pub fn to_wire(&self) -> wire::ReadEvent {
        wire::ReadEvent {
            event: Some(wire::Recorded {
                id: Some(wire::Uuid::of(self.id)),
                stream: Some(wire::StreamIdentifier::of(&self.stream)),
                revision: self.revision,
                prepare_position: self.position.prepare,
                commit_position: self.position.commit,
                metadata: HashMap::from([
                    ("type".to_owned(), self.event_type.clone()),
                    ("content-type".to_owned(), self.content_type.clone()),
                    ("created".to_owned(), self.created.to_string()),
                ]),
                custom_metadata: self.metadata.clone(),
                data: self.data.clone(),
            }),
            commit_position: Some(self.position.commit),
        }
    }
}
