//! Stores that fail for a while, deliver events twice, or end subscriptions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connect_four::application::GameId;
use connect_four::event_store::{
    self, Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use futures_util::StreamExt;
use rusqlite::Connection;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::double::Double;
use crate::support::{Files, Following, append, finished, moved, rows, start_games, started};

/// A store in memory that can be made to fail in ways that no store should.
#[derive(Debug, Default)]
struct Unreliable {
    store: MemoryStore,
    subscriptions: AtomicUsize,
    /// Ends the current subscription.
    end: Arc<Notify>,
    /// Delivers all events again, whatever position is requested.
    repeats: AtomicBool,
    /// How many of the next reads, of streams and of the head, fail.
    failures: AtomicUsize,
}

impl Unreliable {
    fn fail(&self) -> Result<(), EventStoreError> {
        let counted = |failures: usize| failures.checked_sub(1);
        let failures = &self.failures;
        match failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted) {
            Ok(_) => Err(EventStoreError::Unavailable {
                reason: "away for a moment".to_owned(),
            }),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl EventStore for Unreliable {
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
        self.fail()?;
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
        self.subscriptions.fetch_add(1, Ordering::SeqCst);
        let after = after.filter(|_| !self.repeats.load(Ordering::SeqCst));
        let end = self.end.clone();
        let events = self.store.subscribe_all(prefix, after);
        events
            .take_until(async move { end.notified().await })
            .boxed()
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.fail()?;
        self.store.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.store.check().await
    }

    fn location(&self) -> String {
        self.store.location()
    }
}

fn unreliable() -> (Arc<Unreliable>, Arc<dyn EventStore>) {
    let store = Arc::new(Unreliable::default());
    (store.clone(), store)
}

#[tokio::test]
async fn a_subscription_that_ends_is_replaced_from_the_checkpoint_on() {
    let (faults, store) = unreliable();
    let following = Following::in_memory(&store).await;
    for round in 0..3 {
        start_games(&store, 2).await;
        let last = store.head().await.expect("memory answers").expect("events");
        following.sees(last).await;
        assert_eq!(following.model.status().events_applied, 2 * (round + 1));
        faults.end.notify_waiters();
    }
    assert_eq!(following.numbers().await, [6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn events_that_are_delivered_again_are_skipped() {
    let (faults, store) = unreliable();
    faults.repeats.store(true, Ordering::SeqCst);
    let files = Files::new();
    let path = files.path("model.db");
    let following = Following::in_file(&path, &store).await;
    let games = start_games(&store, 3).await;
    let last = append(&store, games[0], &[moved("ada", "D"), finished("TIED")]).await;
    following.sees(last).await;
    faults.end.notify_waiters();
    let last = append(&store, games[1], &[moved("ada", "D")]).await;
    following.sees(last).await;
    assert!(faults.subscriptions.load(Ordering::SeqCst) > 1);
    assert_eq!(following.model.status().events_applied, 6);
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}

#[tokio::test]
async fn a_game_whose_read_fails_is_read_again_until_it_succeeds() {
    let (faults, store) = unreliable();
    let files = Files::new();
    let path = files.path("model.db");
    let games = start_games(&store, 3).await;
    let following = Following::in_file(&path, &store).await;
    following.catches_up().await;
    following.stop().await;
    let last = append(&store, games[2], &[moved("ada", "D"), finished("TIED")]).await;
    faults.failures.store(5, Ordering::SeqCst);
    let following = Following::in_file(&path, &store).await;
    following.sees(last).await;
    assert_eq!(faults.failures.load(Ordering::SeqCst), 0);
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_of_the_database_the_read_model_continues_at_its_checkpoint() {
    let mut double = Double::start().await;
    let store = event_store::open(&double.connection_string()).await;
    let store = store.expect("it opens");
    let files = Files::new();
    let path = files.path("model.db");
    let following = Following::in_file(&path, &store).await;
    for _ in 0..3 {
        let games = start_games(&store, 5).await;
        let last = append(&store, games[0], &[moved("ada", "D")]).await;
        following.sees(last).await;
        double.stop().await;
        double.start_again();
        while store.check().await.is_err() {
            tokio::task::yield_now().await;
        }
    }
    let last = append(&store, GameId::generate(), &[started("ada", "grace")]).await;
    following.sees(last).await;
    assert_eq!(following.numbers().await.len(), 16);
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_file_cannot_be_written_no_event_is_lost() {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let files = Files::new();
    let path = files.path("model.db");
    let following = Following::in_file(&path, &store).await;
    let games = start_games(&store, 2).await;
    following.catches_up().await;

    let tool = Connection::open(&path).expect("a database");
    tool.execute_batch("BEGIN IMMEDIATE")
        .expect("the write lock");
    let last = append(&store, games[0], &[moved("ada", "D"), finished("TIED")]).await;
    let reached = following.model.reached(last);
    assert!(timeout(Duration::from_millis(600), reached).await.is_err());
    tool.execute_batch("ROLLBACK").expect("no lock any more");
    drop(tool);
    following.sees(last).await;
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}
