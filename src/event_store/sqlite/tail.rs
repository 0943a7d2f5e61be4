//! What was committed last, handed to the subscriptions without a look at the file.
//!
//! To read each commit back costs the movers a fifth of their throughput on two cores: a
//! query, a thread for it, and every event copied out of the database.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::event_store::{GlobalPosition, NewEvent, RecordedEvent, StreamName, StreamRevision};

/// How many commits a subscription may be behind; then it reads the file again.
const CAPACITY: usize = 64;

/// The events of one commit, in their order.
pub(super) type Commit = Arc<[RecordedEvent]>;

/// Where the writer puts what it committed.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    commits: Sender<Commit>,
}

/// An append that a commit stored, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    /// The append's place in its batch.
    pub(super) append: usize,
    pub(super) first_revision: StreamRevision,
    pub(super) last_position: GlobalPosition,
}

impl Tail {
    pub(super) fn new() -> Tail {
        Tail {
            commits: channel(CAPACITY).0,
        }
    }

    /// What is committed from now on.
    pub(super) fn subscribe(&self) -> Receiver<Commit> {
        self.commits.subscribe()
    }

    /// Tells the subscriptions of a commit. To be called after it, and in the order of commits:
    /// who subscribes and then reads the file has missed nothing.
    pub(super) fn publish(
        &self,
        batch: Vec<(StreamName, Vec<NewEvent>)>,
        stored: &[Stored],
        recorded_at: DateTime<Utc>,
    ) {
        if stored.is_empty() || self.commits.receiver_count() == 0 {
            return;
        }
        let mut stored = stored.iter().peekable();
        let mut events = Vec::with_capacity(stored.len() + 1);
        for (place, (stream, appended)) in batch.into_iter().enumerate() {
            let Some(stored) = stored.next_if(|stored| stored.append == place) else {
                continue;
            };
            let last = stored.last_position.commit();
            let first = last + 1 - appended.len() as u64;
            for (offset, event) in (0..).zip(appended) {
                events.push(RecordedEvent {
                    id: event.id,
                    stream: stream.clone(),
                    revision: stored.first_revision.plus(offset),
                    position: GlobalPosition::counted(first + offset),
                    event_type: event.event_type.into(),
                    data: event.data,
                    metadata: event.metadata,
                    recorded_at,
                });
            }
        }
        // An error says that the last subscription has just gone.
        let _ = self.commits.send(events.into());
    }
}
