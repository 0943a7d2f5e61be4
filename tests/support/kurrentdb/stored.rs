//! The events that the double stores, and their conversion from and to protocol messages.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::wire::{self, Position};

/// A stored event.
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

/// An event that a client wants to append.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub id: Uuid,
    pub event_type: String,
    pub content_type: String,
    pub data: Bytes,
    pub metadata: Bytes,
}

/// The time in the server's unit: ticks of 100 ns.
pub(super) fn ticks(time: Duration) -> u64 {
    time.as_secs() * 10_000_000 + u64::from(time.subsec_nanos()) / 100
}

impl Proposal {
    /// `None` when the message lacks a field that the server requires.
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
    /// The position of the next record. Positions are offsets in a file: they grow by the size of
    /// each record.
    pub(super) fn end(&self) -> u64 {
        self.position.commit + 113 + self.data.len() as u64
    }

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
