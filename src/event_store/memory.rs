//! The reference implementation: events in memory, lost when the process ends. It is meant for
//! tests and for trying the service. It keeps every guarantee of [`EventStore`], including
//! those for conflicts and repeated appends.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use async_trait::async_trait;
use chrono::Utc;
use futures_util::{StreamExt, stream};
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

use super::append_check::{AppendCheck, check_append};
use super::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription, SubscriptionMessage,
};

/// Stores events in memory. Clones share the events.
#[derive(Debug, Default, Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    log: RwLock<Log>,
    /// Wakes the subscriptions after each change.
    changed: Notify,
}

/// Everything in the order in which it happened, and each stream as indexes into it.
#[derive(Debug, Default)]
struct Log {
    entries: Vec<Entry>,
    streams: HashMap<StreamName, Vec<usize>>,
    deleted: HashSet<StreamName>,
}

/// What the log has at a position.
#[derive(Debug)]
enum Entry {
    Event(RecordedEvent),
    /// The event was deleted.
    Removed,
    /// The stream was deleted here. The entry has a position, so that a subscription that resumes
    /// before it learns of the deletion.
    Tombstone(StreamName),
}

impl Entry {
    fn event(&self) -> Option<&RecordedEvent> {
        match self {
            Entry::Event(event) => Some(event),
            Entry::Removed | Entry::Tombstone(_) => None,
        }
    }

    /// What subscriptions deliver for this entry.
    fn message(&self, prefix: &str) -> Option<SubscriptionMessage> {
        let (stream, message) = match self {
            Entry::Event(event) => (&event.stream, SubscriptionMessage::Recorded(event.clone())),
            Entry::Tombstone(stream) => {
                (stream, SubscriptionMessage::StreamTruncated(stream.clone()))
            }
            Entry::Removed => return None,
        };
        stream.as_str().starts_with(prefix).then_some(message)
    }
}

/// How many events a subscription copies from the log at a time.
const BATCH: usize = 256;

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

impl Shared {
    /// A poisoned lock is ignored: an append changes the log only after the last operation that
    /// can panic, so the log is consistent.
    fn log(&self) -> RwLockReadGuard<'_, Log> {
        self.log.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn stream(&self, stream: &StreamName) -> &[usize] {
        self.streams.get(stream).map_or(&[], Vec::as_slice)
    }

    fn check_not_deleted(&self, stream: &StreamName) -> Result<(), EventStoreError> {
        match self.deleted.contains(stream) {
            true => Err(EventStoreError::StreamDeleted {
                stream: stream.clone(),
            }),
            false => Ok(()),
        }
    }

    fn delete(&mut self, stream: &StreamName) {
        if !self.deleted.insert(stream.clone()) {
            return;
        }
        for place in self.streams.remove(stream).unwrap_or_default() {
            self.entries[place] = Entry::Removed;
        }
        self.entries.push(Entry::Tombstone(stream.clone()));
    }

    fn append(
        &mut self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.check_not_deleted(stream)?;
        let known = self.streams.get_mut(stream);
        let places = known.as_deref().map_or(&[][..], Vec::as_slice);
        let actual = last_revision(places);
        let ids = events.iter().map(|event| event.id);
        let stored_id = |revision| {
            let event = self.entries[places[place_of(revision)]].event();
            Ok::<_, Infallible>(event.map_or(Uuid::nil(), |event| event.id))
        };
        let check = match check_append(expected, actual, ids, stored_id) {
            Ok(check) => check,
            Err(never) => match never {},
        };
        match check {
            AppendCheck::Conflict => Err(EventStoreError::WrongExpectedRevision {
                stream: stream.clone(),
                expected,
                actual,
            }),
            AppendCheck::AlreadyStored(last) => Ok(Appended {
                revision: last,
                position: position_of(places[place_of(last)]),
                is_repetition: true,
            }),
            AppendCheck::Store => {
                let places = match known {
                    Some(places) => places,
                    None => self.streams.entry(stream.clone()).or_default(),
                };
                Ok(store(&mut self.entries, places, stream, events))
            }
        }
    }
}

/// `events` is not empty.
fn store(
    entries: &mut Vec<Entry>,
    places: &mut Vec<usize>,
    stream: &StreamName,
    events: Vec<NewEvent>,
) -> Appended {
    let recorded_at = Utc::now();
    let appended = Appended {
        revision: StreamRevision::new((places.len() + events.len() - 1) as u64),
        position: position_of(entries.len() + events.len() - 1),
        is_repetition: false,
    };
    for event in events {
        let revision = StreamRevision::new(places.len() as u64);
        let place = entries.len();
        places.push(place);
        entries.push(Entry::Event(RecordedEvent {
            id: event.id,
            stream: stream.clone(),
            revision,
            position: position_of(place),
            event_type: event.event_type,
            data: event.data,
            metadata: event.metadata,
            recorded_at,
        }));
    }
    appended
}

fn last_revision(places: &[usize]) -> Option<StreamRevision> {
    let last = places.len().checked_sub(1)?;
    Some(StreamRevision::new(last as u64))
}

fn place_of(revision: StreamRevision) -> usize {
    usize::try_from(revision.number()).unwrap_or(usize::MAX)
}

fn position_of(place: usize) -> GlobalPosition {
    GlobalPosition::counted(place as u64)
}

fn place_in_log(position: GlobalPosition) -> usize {
    usize::try_from(position.commit()).unwrap_or(usize::MAX)
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        if events.is_empty() {
            return Err(EventStoreError::empty_append(stream));
        }
        let mut log = self
            .shared
            .log
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let appended = log.append(stream, expected, events)?;
        self.shared.changed.notify_waiters();
        Ok(appended)
    }

    async fn delete_stream(&self, stream: &StreamName) -> Result<(), EventStoreError> {
        let mut log = self
            .shared
            .log
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        log.delete(stream);
        self.shared.changed.notify_waiters();
        Ok(())
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        let log = self.shared.log();
        log.check_not_deleted(stream)?;
        let places = log.stream(stream);
        let asked_for = places.get(place_of(from)..).unwrap_or_default();
        Ok(StreamSlice {
            events: asked_for
                .iter()
                .filter_map(|place| log.entries[*place].event().cloned())
                .collect(),
            last_revision: last_revision(places),
        })
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        let log = self.shared.log();
        let next = match after {
            None => 0,
            Some(position) if !position.is_counted() => {
                return Err(EventStoreError::NoEventAtPosition { position });
            }
            Some(position) if place_in_log(position) >= log.entries.len() => {
                return Err(EventStoreError::PositionBeyondHead { position });
            }
            Some(position) => place_in_log(position) + 1,
        };
        let later = log.entries.get(next..).unwrap_or_default().iter();
        Ok(later
            .filter_map(Entry::event)
            .filter(|event| event.stream.as_str().starts_with(prefix))
            .take(limit)
            .cloned()
            .collect())
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        let log = self.shared.log();
        let place = place_in_log(position);
        let entry = log.entries.get(place);
        Ok(match entry.filter(|_| position == position_of(place)) {
            Some(Entry::Event(event)) => AtPosition::Event(event.clone()),
            Some(Entry::Removed | Entry::Tombstone(_)) => AtPosition::Removed,
            None => AtPosition::Nothing,
        })
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        let reader = Reader {
            shared: self.shared.clone(),
            next: after
                .map_or(0, place_in_log)
                .saturating_add(usize::from(after.is_some())),
            caught_up: false,
        };
        stream::unfold(reader, move |mut reader| async move {
            let messages = reader.next_messages(prefix).await;
            Some((stream::iter(messages), reader))
        })
        .flatten()
        .boxed()
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        Ok(self
            .shared
            .log()
            .entries
            .len()
            .checked_sub(1)
            .map(position_of))
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        Ok(())
    }

    fn location(&self) -> String {
        "memory (lost when the process ends)".to_owned()
    }
}

/// A subscription: the index of its next event in the log.
struct Reader {
    shared: Arc<Shared>,
    next: usize,
    caught_up: bool,
}

impl Reader {
    async fn next_messages(&mut self, prefix: &str) -> Vec<SubscriptionMessage> {
        loop {
            // Created before the log is read, so that an append after the read wakes us.
            let changed = self.shared.changed.notified();
            let (taken, messages): (_, Vec<_>) = {
                let log = self.shared.log();
                let batch = log.entries.get(self.next..).unwrap_or_default();
                let batch = &batch[..batch.len().min(BATCH)];
                let messages = batch.iter().filter_map(|entry| entry.message(prefix));
                (batch.len(), messages.collect())
            };
            if taken == 0 {
                if !self.caught_up {
                    self.caught_up = true;
                    return vec![SubscriptionMessage::CaughtUp];
                }
                changed.await;
                continue;
            }
            self.next += taken;
            return messages;
        }
    }
}
