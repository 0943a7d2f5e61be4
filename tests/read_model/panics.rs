//! A panic does not end the projector.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use futures_util::StreamExt;

use crate::logs::Logs;
use crate::support::{Following, start_games, until};

/// A store that panics a number of times.
#[derive(Debug, Default)]
struct Panicking {
    store: MemoryStore,
    checks: AtomicUsize,
    deliveries: Arc<AtomicUsize>,
}

fn panic_if_due(panics: &AtomicUsize) {
    let counted = |panics: usize| panics.checked_sub(1);
    let due = panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted);
    assert!(due.is_err(), "a panic that the test wants");
}

#[async_trait]
impl EventStore for Panicking {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.store.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.store.read_stream(stream, from).await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        self.store.read_all(prefix, after, limit).await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.store.event_at(position).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        let panics = self.deliveries.clone();
        let messages = self.store.subscribe_all(prefix, after);
        messages.inspect(move |_| panic_if_due(&panics)).boxed()
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.store.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        panic_if_due(&self.checks);
        self.store.check().await
    }

    fn location(&self) -> String {
        self.store.location()
    }
}

#[tokio::test]
async fn a_projector_that_panics_is_restarted_with_a_log_line() {
    let logs = Logs::of_this_thread();
    let panicking = Arc::new(Panicking::default());
    let store: Arc<dyn EventStore> = panicking.clone();
    start_games(&store, 3).await;
    // With an empty read model, the first thing that the projector does is this check.
    panicking.checks.store(2, Ordering::SeqCst);
    let following = Following::in_memory(&store).await;
    following.catches_up().await;
    assert_eq!(following.numbers().await, [3, 2, 1]);
    assert!(!logs.with("a panic that the test wants").is_empty());

    panicking.deliveries.store(1, Ordering::SeqCst);
    start_games(&store, 1).await;
    let last = store.head().await.expect("an answer").expect("an event");
    following.sees(last).await;
    assert_eq!(following.numbers().await, [4, 3, 2, 1]);
    until(|| following.model.status().has_caught_up).await;
    assert_eq!(panicking.deliveries.load(Ordering::SeqCst), 0);
    assert!(following.told.following().ends_with(&[true, false, true]));
}
