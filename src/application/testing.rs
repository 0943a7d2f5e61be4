//! A store that loses races on demand, for the tests of this module.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use super::{CommandHandler, CommandOptions, GameId, GameRepository};
use crate::domain::MakeMove;
use crate::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};

/// The game that all these tests play.
pub(super) fn game() -> GameId {
    GameId::from_uuid(uuid::Uuid::from_u128(4))
}

pub(super) fn handler(store: impl EventStore) -> CommandHandler {
    CommandHandler::new(Arc::new(GameRepository::new(Arc::new(store))))
}

/// A memory in which others are faster: each append loses a race until all rivals that
/// were announced have made their moves (or only got in the way, if they make none).
#[derive(Debug, Clone, Default)]
pub(super) struct Races(Arc<Mutex<Race>>);

#[derive(Debug, Default)]
struct Race {
    memory: MemoryStore,
    rivals: VecDeque<Vec<MakeMove>>,
    appends: usize,
}

impl Races {
    fn race(&self) -> MutexGuard<'_, Race> {
        self.0.lock().expect("nobody panics while holding it")
    }

    pub(super) fn memory(&self) -> MemoryStore {
        self.race().memory.clone()
    }

    pub(super) fn next_rivals(&self, rivals: impl IntoIterator<Item = Vec<MakeMove>>) {
        self.race().rivals.extend(rivals);
    }

    pub(super) fn appends(&self) -> usize {
        self.race().appends
    }

    pub(super) fn delete_everything(&self) {
        self.race().memory = MemoryStore::new();
    }

    fn next_rival(&self) -> Option<Vec<MakeMove>> {
        let mut race = self.race();
        race.appends += 1;
        race.rivals.pop_front()
    }
}

#[async_trait]
impl EventStore for Races {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        let Some(moves) = self.next_rival() else {
            return self.memory().append(stream, expected, events).await;
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
        self.memory().read_stream(stream, from).await
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

    fn subscribe_all(&self, _: &'static str, _: Option<GlobalPosition>) -> Subscription {
        unimplemented!("commands need no subscription")
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
