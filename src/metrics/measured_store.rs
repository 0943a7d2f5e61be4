//! Times the calls of an event store, whichever it is.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;

use super::Metrics;
use crate::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};

/// An event store whose calls are timed, and whose conflicts are counted.
#[derive(Debug)]
pub struct MeasuredStore {
    store: Arc<dyn EventStore>,
    metrics: Metrics,
}

impl MeasuredStore {
    /// Measures this store.
    pub fn new(store: Arc<dyn EventStore>, metrics: Metrics) -> MeasuredStore {
        MeasuredStore { store, metrics }
    }

    fn note<T>(&self, call: &'static str, began: Instant, outcome: &Result<T, EventStoreError>) {
        let outcome = match outcome {
            Ok(_) => "ok",
            Err(error) => {
                if matches!(error, EventStoreError::WrongExpectedRevision { .. }) {
                    self.metrics.conflicted();
                }
                name(error)
            }
        };
        self.metrics.called(call, outcome, began.elapsed());
    }
}

fn name(error: &EventStoreError) -> &'static str {
    match error {
        EventStoreError::WrongExpectedRevision { .. } => "conflict",
        EventStoreError::StreamDeleted { .. } => "deleted",
        EventStoreError::Unavailable { .. } => "unavailable",
        EventStoreError::OutcomeUnknown { .. } => "unknown",
        EventStoreError::Refused { .. } => "refused",
        EventStoreError::NoEventAtPosition { .. } | EventStoreError::PositionBeyondHead { .. } => {
            "bad_position"
        }
        EventStoreError::AccessDenied { .. } => "access_denied",
        EventStoreError::Corrupt { .. } => "corrupt",
    }
}

#[async_trait]
impl EventStore for MeasuredStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        let began = Instant::now();
        let appended = self.store.append(stream, expected, events).await;
        self.note("append", began, &appended);
        appended
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        let began = Instant::now();
        let read = self.store.read_stream(stream, from).await;
        self.note("read_stream", began, &read);
        read
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        let began = Instant::now();
        let read = self.store.read_all(prefix, after, limit).await;
        self.note("read_all", began, &read);
        read
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.store.event_at(position).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        self.store.subscribe_all(prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.store.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        let began = Instant::now();
        let checked = self.store.check().await;
        self.note("check", began, &checked);
        checked
    }

    fn location(&self) -> String {
        self.store.location()
    }
}
