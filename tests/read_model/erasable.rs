//! A store in memory that behaves like a database: its streams can be deleted and truncated, it can
//! become unavailable, and it can be restored from a backup. Deleted events are delivered until a
//! scavenge.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::Utc;
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription, SubscriptionMessage,
};
use futures_util::{StreamExt, stream};
use tokio::sync::watch;

/// The content of the store. A copy of it is a backup.
#[derive(Debug, Default, Clone)]
pub(crate) struct Stored {
    records: Vec<Record>,
    streams: HashMap<StreamName, Stream>,
    /// The indexes of records that a scavenge removed.
    scavenged: HashSet<usize>,
}

#[derive(Debug, Clone)]
enum Record {
    Event(RecordedEvent),
    /// The metadata of a stream was changed.
    Metadata(StreamName),
}

#[derive(Debug, Default, Clone, Copy)]
struct Stream {
    /// The revision of the stream's next event.
    next: u64,
    limits: Limits,
    is_tombstoned: bool,
}

/// Which events of a stream can no longer be read.
#[derive(Debug, Default, Clone, Copy)]
struct Limits {
    before: u64,
    max_count: Option<u64>,
    is_soft_deleted: bool,
}

impl Stream {
    fn first(&self) -> u64 {
        let counted = self
            .limits
            .max_count
            .map_or(0, |max| self.next.saturating_sub(max));
        self.limits.before.max(counted)
    }
}

/// The store. Clones share it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Erasable(Arc<Shared>);

impl std::ops::Deref for Erasable {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    stored: Mutex<Stored>,
    /// Wakes the subscriptions.
    changed: watch::Sender<()>,
    /// Counts lost connections.
    losses: watch::Sender<u64>,
    is_down: AtomicBool,
    /// While true, subscriptions deliver nothing.
    is_silent: AtomicBool,
    /// How many of the next lookups of a position fail.
    pub(crate) failing_lookups: AtomicUsize,
    /// How many of the next reads of streams fail.
    pub(crate) failing_reads: AtomicUsize,
}

fn position_of(index: usize) -> GlobalPosition {
    (index + 1).to_string().parse().expect("a position")
}

fn index_of(position: GlobalPosition) -> usize {
    position.to_string().parse::<usize>().expect("a number") - 1
}

fn away() -> EventStoreError {
    EventStoreError::Unavailable {
        reason: "away for a moment".to_owned(),
    }
}

fn fail(failures: &AtomicUsize) -> Result<(), EventStoreError> {
    let counted = |failures: usize| failures.checked_sub(1);
    match failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted) {
        Ok(_) => Err(away()),
        Err(_) => Ok(()),
    }
}

impl Shared {
    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answers(&self) -> Result<(), EventStoreError> {
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(away()),
            false => Ok(()),
        }
    }

    pub(crate) fn backup(&self) -> Stored {
        self.stored().clone()
    }

    pub(crate) fn restore(&self, backup: Stored) {
        *self.stored() = backup;
        self.changed.send_replace(());
    }

    /// Breaks every connection.
    pub(crate) fn lose_connections(&self) {
        self.losses.send_modify(|losses| *losses += 1);
    }

    /// Stops all deliveries, or lets them go on.
    pub(crate) fn be_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::SeqCst);
        self.changed.send_replace(());
    }

    pub(crate) fn go_away(&self) {
        self.is_down.store(true, Ordering::SeqCst);
        self.lose_connections();
    }

    pub(crate) fn come_back(&self) {
        self.is_down.store(false, Ordering::SeqCst);
        self.changed.send_replace(());
    }

    fn change(&self, stream: &StreamName, change: impl FnOnce(&mut Stream)) {
        let mut stored = self.stored();
        change(stored.streams.entry(stream.clone()).or_default());
        stored.records.push(Record::Metadata(stream.clone()));
        self.changed.send_replace(());
    }

    pub(crate) fn delete(&self, stream: &StreamName) {
        self.change(stream, |stream| {
            stream.limits.before = stream.next;
            stream.limits.is_soft_deleted = true;
        });
    }

    pub(crate) fn truncate_before(&self, stream: &StreamName, revision: u64) {
        self.change(stream, |stream| stream.limits.before = revision);
    }

    pub(crate) fn keep_at_most(&self, stream: &StreamName, events: u64) {
        self.change(stream, |stream| stream.limits.max_count = Some(events));
    }

    pub(crate) fn tombstone(&self, stream: &StreamName) {
        self.change(stream, |stream| stream.is_tombstoned = true);
    }

    /// Removes all limits of a stream, so that events that were not scavenged can be read again.
    pub(crate) fn lift_limits(&self, stream: &StreamName) {
        self.change(stream, |stream| stream.limits = Limits::default());
    }

    pub(crate) fn scavenge(&self) {
        let mut stored = self.stored();
        let gone = |(index, record): (usize, &Record)| match record {
            Record::Event(event) => {
                let stream = stored.streams[&event.stream];
                let is_gone = stream.is_tombstoned || event.revision.number() < stream.first();
                is_gone.then_some(index)
            }
            Record::Metadata(_) => None,
        };
        let gone = stored.records.iter().enumerate().filter_map(gone).collect();
        stored.scavenged = gone;
    }

    /// What a subscription delivers for the record at this index; `None` when the record does not
    /// exist yet.
    fn delivered(&self, index: usize, prefix: &str) -> Option<Option<SubscriptionMessage>> {
        let stored = self.stored();
        let message = match stored.records.get(index)? {
            Record::Event(event) => SubscriptionMessage::Recorded(event.clone()),
            Record::Metadata(stream) => SubscriptionMessage::StreamTruncated(stream.clone()),
        };
        let is_wanted = match &message {
            SubscriptionMessage::Recorded(event) => {
                event.stream.as_str().starts_with(prefix) && !stored.scavenged.contains(&index)
            }
            SubscriptionMessage::StreamTruncated(_)
            | SubscriptionMessage::CaughtUp
            | SubscriptionMessage::Disconnected => true,
        };
        Some(is_wanted.then_some(message))
    }
}

#[async_trait]
impl EventStore for Erasable {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.answers()?;
        let mut stored = self.stored();
        let entry = stored.streams.entry(stream.clone()).or_default();
        let is_expected = match expected {
            ExpectedRevision::NoStream => entry.next == 0 || entry.limits.is_soft_deleted,
            ExpectedRevision::Exact(revision) => entry.next == revision.next().number(),
        };
        assert!(is_expected, "these tests do not append concurrently");
        entry.limits.is_soft_deleted = false;
        let first = entry.next;
        entry.next += events.len() as u64;
        for (event, revision) in events.into_iter().zip(first..) {
            let position = position_of(stored.records.len());
            stored.records.push(Record::Event(RecordedEvent {
                id: event.id,
                stream: stream.clone(),
                revision: StreamRevision::new(revision),
                position,
                event_type: event.event_type,
                data: event.data,
                metadata: event.metadata,
                recorded_at: Utc::now(),
            }));
        }
        self.changed.send_replace(());
        Ok(Appended {
            revision: StreamRevision::new(stored.streams[stream].next - 1),
            position: position_of(stored.records.len() - 1),
            is_repetition: false,
        })
    }

    async fn read_stream(
        &self,
        name: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.answers()?;
        fail(&self.failing_reads)?;
        let stored = self.stored();
        let stream = stored.streams.get(name).copied().unwrap_or_default();
        if stream.is_tombstoned {
            let stream = name.clone();
            return Err(EventStoreError::StreamDeleted { stream });
        }
        if stream.next == 0 || stream.limits.is_soft_deleted {
            return Ok(StreamSlice::default());
        }
        let first = stream.first().max(from.number());
        let events = stored.records.iter().filter_map(|record| match record {
            Record::Event(event) => {
                (event.stream == *name && event.revision.number() >= first).then_some(event)
            }
            Record::Metadata(_) => None,
        });
        Ok(StreamSlice {
            events: events.cloned().collect(),
            last_revision: Some(StreamRevision::new(stream.next - 1)),
        })
    }

    async fn read_all(
        &self,
        _: &'static str,
        _: Option<GlobalPosition>,
        _: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        unreachable!("the read model does not use bounded reads")
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.answers()?;
        fail(&self.failing_lookups)?;
        let stored = self.stored();
        let index = index_of(position);
        Ok(match stored.records.get(index) {
            Some(Record::Event(_)) if stored.scavenged.contains(&index) => AtPosition::Removed,
            Some(Record::Event(event)) => AtPosition::Event(event.clone()),
            Some(Record::Metadata(_)) | None => AtPosition::Nothing,
        })
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        let place = Place {
            store: self.0.clone(),
            next: after.map_or(0, |position| index_of(position) + 1),
            has_caught_up: false,
            changes: self.changed.subscribe(),
            losses: self.losses.subscribe(),
        };
        stream::unfold(place, move |mut place| async move {
            let message = place.next_message(prefix).await;
            Some((message, place))
        })
        .boxed()
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.answers()?;
        let stored = self.stored();
        let is_event = |record: &Record| matches!(record, Record::Event(_));
        Ok(stored.records.iter().rposition(is_event).map(position_of))
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.answers()
    }

    fn location(&self) -> String {
        "memory that can be erased".to_owned()
    }
}

/// How far a subscription has come. It is kept when a connection is lost.
struct Place {
    store: Arc<Shared>,
    next: usize,
    has_caught_up: bool,
    changes: watch::Receiver<()>,
    losses: watch::Receiver<u64>,
}

impl Place {
    async fn next_message(&mut self, prefix: &str) -> SubscriptionMessage {
        loop {
            self.changes.mark_unchanged();
            if self.losses.has_changed().expect("the store is there") {
                self.losses.mark_unchanged();
                self.has_caught_up = false;
                return SubscriptionMessage::Disconnected;
            }
            let delivers = self.store.answers().is_ok();
            if delivers && !self.store.is_silent.load(Ordering::SeqCst) {
                match self.store.delivered(self.next, prefix) {
                    Some(delivered) => {
                        self.next += 1;
                        match delivered {
                            Some(message) => return message,
                            None => continue,
                        }
                    }
                    None if !self.has_caught_up => {
                        self.has_caught_up = true;
                        return SubscriptionMessage::CaughtUp;
                    }
                    None => {}
                }
            }
            tokio::select! {
                changed = self.changes.changed() => changed.expect("the store is there"),
                lost = self.losses.changed() => {
                    lost.expect("the store is there");
                    self.has_caught_up = false;
                    return SubscriptionMessage::Disconnected;
                }
            }
        }
    }
}
