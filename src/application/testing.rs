//! A store whose appends lose races on demand, for the tests of this module.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::Barrier;

use super::{CommandHandler, CommandOptions, GameId, GameRepository};
use crate::domain::MakeMove;
use crate::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};

/// The game in all these tests.
pub(super) fn game() -> GameId {
    GameId::from_uuid(uuid::Uuid::from_u128(4))
}

pub(super) fn handler(store: impl EventStore) -> CommandHandler {
    CommandHandler::new(Arc::new(GameRepository::new(Arc::new(store))))
}

/// A memory store in which rivals append first. Each append takes the next rival from the queue: the
/// rival makes its moves, if it has any, and the append fails with a conflict. With an empty queue,
/// appends succeed. An answer can be held back.
#[derive(Debug, Clone, Default)]
pub(super) struct RacingStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    memory: MemoryStore,
    rivals: VecDeque<Vec<MakeMove>>,
    appends: usize,
    held: Option<Arc<Barrier>>,
}

impl RacingStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding it")
    }

    pub(super) fn memory(&self) -> MemoryStore {
        self.state().memory.clone()
    }

    pub(super) fn next_rivals(&self, rivals: impl IntoIterator<Item = Vec<MakeMove>>) {
        self.state().rivals.extend(rivals);
    }

    pub(super) fn appends(&self) -> usize {
        self.state().appends
    }

    pub(super) fn delete_everything(&self) {
        self.state().memory = MemoryStore::new();
    }

    /// Holds back the answer to the next append or read of a stream: the first to wait at the barrier
    /// learns that it is there, the second lets it go.
    pub(super) fn hold_next_answer(&self) -> Arc<Barrier> {
        let barrier = Arc::new(Barrier::new(2));
        self.state().held = Some(barrier.clone());
        barrier
    }

    async fn pass(&self) {
        let held = self.state().held.take();
        if let Some(barrier) = held {
            barrier.wait().await;
            barrier.wait().await;
        }
    }

    fn next_rival(&self) -> Option<Vec<MakeMove>> {
        let mut state = self.state();
        state.appends += 1;
        state.rivals.pop_front()
    }
}

#[async_trait]
impl EventStore for RacingStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        let Some(moves) = self.next_rival() else {
            let appended = self.memory().append(stream, expected, events).await;
            self.pass().await;
            return appended;
        };
        for asked in moves {
            let rival = handler(self.memory());
            rival
                .make_move(game(), asked, &CommandOptions::default())
                .await
                .expect("a legal move");
        }
        Err(EventStoreError::WrongExpectedRevision {
            stream: stream.clone(),
            expected,
            actual: None,
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        let slice = self.memory().read_stream(stream, from).await;
        self.pass().await;
        slice
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        self.memory().read_all(prefix, after, limit).await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.memory().event_at(position).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        self.memory().subscribe_all(prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.memory().head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.memory().check().await
    }

    fn location(&self) -> String {
        self.memory().location()
    }
}
