//! Measures the calls to an event store of any kind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use prometheus_client::metrics::histogram::Histogram;

use super::Metrics;
use crate::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use crate::outage_log::OutageLog;
use crate::telemetry::store_call;

/// A call whose caller stopped waiting counts as failed if it had taken this long.
const SLOW: Duration = Duration::from_secs(2);

/// Wraps an event store: measures the duration of its calls, counts conflicts, and logs outages.
#[derive(Debug)]
pub struct MeasuredStore {
    store: Arc<dyn EventStore>,
    metrics: Metrics,
    outages: OutageLog,
    append: Call,
    delete_stream: Call,
    read_stream: Call,
    read_all: Call,
    check: Call,
}

/// A call of the store.
#[derive(Debug)]
struct Call {
    name: &'static str,
    /// The durations of the calls that succeed. They are found once, not at each call.
    succeeded: Histogram,
}

impl MeasuredStore {
    /// Measures this store.
    pub fn new(store: Arc<dyn EventStore>, metrics: Metrics) -> MeasuredStore {
        let call = |name| Call {
            name,
            succeeded: metrics.store_calls(name, "ok"),
        };
        MeasuredStore {
            store,
            outages: OutageLog::new("the event store"),
            append: call("append"),
            delete_stream: call("delete_stream"),
            read_stream: call("read_stream"),
            read_all: call("read_all"),
            check: call("check"),
            metrics,
        }
    }

    async fn measure<T>(
        &self,
        call: &Call,
        work: impl Future<Output = Result<T, EventStoreError>>,
    ) -> Result<T, EventStoreError> {
        let mut running = Running {
            began: Instant::now(),
            call: call.name,
            outages: Some(&self.outages),
        };
        let outcome = store_call(call.name, name, work).await;
        running.outages = None;
        let seconds = running.began.elapsed().as_secs_f64();
        match &outcome {
            Ok(_) => call.succeeded.observe(seconds),
            Err(error) => {
                let failed = self.metrics.store_calls(call.name, name(error));
                failed.observe(seconds);
            }
        }
        match &outcome {
            Ok(_) => self.outages.succeeded(),
            Err(EventStoreError::WrongExpectedRevision { .. }) => {
                self.metrics.conflicted();
                self.outages.succeeded();
            }
            Err(
                error @ (EventStoreError::Unavailable { .. }
                | EventStoreError::OutcomeUnknown { .. }
                | EventStoreError::AccessDenied { .. }),
            ) => self.outages.failed(error),
            Err(
                EventStoreError::StreamDeleted { .. }
                | EventStoreError::NoEventAtPosition { .. }
                | EventStoreError::PositionBeyondHead { .. }
                | EventStoreError::Refused { .. }
                | EventStoreError::Corrupt { .. },
            ) => {}
        }
        outcome
    }
}

/// A call that has not returned yet. If it is dropped before it returns and was slow, the outage log
/// counts a failure.
struct Running<'a> {
    began: Instant,
    call: &'static str,
    /// `None` after the call has returned.
    outages: Option<&'a OutageLog>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(outages) = self.outages
            && self.began.elapsed() >= SLOW
        {
            let seconds = self.began.elapsed().as_secs();
            outages.failed(&format!("{} did not return within {seconds} s", self.call));
        }
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
        let call = self.store.append(stream, expected, events);
        self.measure(&self.append, call).await
    }

    async fn delete_stream(&self, stream: &StreamName) -> Result<(), EventStoreError> {
        let call = self.store.delete_stream(stream);
        self.measure(&self.delete_stream, call).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        let call = self.store.read_stream(stream, from);
        self.measure(&self.read_stream, call).await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        let call = self.store.read_all(prefix, after, limit);
        self.measure(&self.read_all, call).await
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
        let call = self.store.check();
        self.measure(&self.check, call).await
    }

    fn location(&self) -> String {
        self.store.location()
    }
}
