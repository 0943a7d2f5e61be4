//! The one file that knows both games and stored events.

use std::fmt;
use std::sync::Arc;

use quick_cache::sync::Cache;
use uuid::Uuid;

use super::command_options::CommandOptions;
use super::event_id::event_id;
use super::event_json::{DecodeError, decode, encode};
use super::game_id::GameId;
use super::load_error::{LoadError, UnreadableReason};
use super::resignation::{metadata, resigned_by};
use crate::domain::{Command, Game, GameEvent, evolve, replay};
use crate::event_store::{
    EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent, RecordedEvent,
    StreamName, StreamRevision, StreamSlice,
};

/// A game as its stream told it, and what an append to it needs to know.
#[derive(Debug, Clone, Default)]
pub struct GameAtRevision {
    /// The fold of the stream's events.
    pub game: Game,
    /// The revision of the last of them; `None` when the stream is absent.
    pub revision: Option<StreamRevision>,
    /// The place of that event among all events of the store.
    pub position: Option<GlobalPosition>,
    /// The id of every event, by revision. 44 at the most in a game that was played here.
    pub event_ids: Vec<Uuid>,
}

impl GameAtRevision {
    /// The game as this beginning of its history left it.
    pub fn as_of(history: &[HistoricEvent]) -> GameAtRevision {
        let last = history.last();
        GameAtRevision {
            game: last.map(|last| last.game.clone()).unwrap_or_default(),
            revision: last.map(|last| last.recorded.revision),
            position: last.map(|last| last.recorded.position),
            event_ids: history.iter().map(|event| event.recorded.id).collect(),
        }
    }

    fn next_revision(&self) -> StreamRevision {
        ExpectedRevision::at(self.revision).first_appended()
    }

    fn fold(&mut self, id: GameId, recorded: &RecordedEvent) -> Result<GameEvent, LoadError> {
        let unreadable = |reason| LoadError::Unreadable {
            game: id,
            revision: recorded.revision,
            reason,
        };
        let next = self.next_revision();
        let event = fold(&mut self.game, next, recorded).map_err(unreadable)?;
        self.revision = Some(recorded.revision);
        self.position = Some(recorded.position);
        self.event_ids.push(recorded.id);
        Ok(event)
    }
}

/// Folds the stored event into the game that it is the next event of.
fn fold(
    game: &mut Game,
    next: StreamRevision,
    recorded: &RecordedEvent,
) -> Result<GameEvent, UnreadableReason> {
    if recorded.revision != next {
        return Err(UnreadableReason::Gap);
    }
    let event = decode(&recorded.event_type, &recorded.data)?;
    replay(game, &event)?;
    Ok(event)
}

/// A game that grows event by event, for who folds the events of all games as they come and
/// appends to none.
#[derive(Debug, Clone)]
pub struct GameFold {
    game: Game,
    next: StreamRevision,
}

impl Default for GameFold {
    fn default() -> GameFold {
        GameFold {
            game: Game::NotStarted,
            next: StreamRevision::FIRST,
        }
    }
}

impl GameFold {
    /// Folds the game's next event; one that makes no sense leaves the game as it was.
    pub fn fold(&mut self, recorded: &RecordedEvent) -> Result<(), UnreadableReason> {
        fold(&mut self.game, self.next, recorded)?;
        self.next = recorded.revision.next();
        Ok(())
    }

    /// The game as it stands.
    pub fn game(&self) -> &Game {
        &self.game
    }
}

/// An event of a game, as it was stored and as what it means.
#[derive(Debug, Clone)]
pub struct HistoricEvent {
    /// As it was stored.
    pub recorded: RecordedEvent,
    /// What happened.
    pub event: GameEvent,
    /// The game after it.
    pub game: Game,
}

/// All stored events of a game, and the game as far as they explain it.
#[derive(Debug, Default)]
pub struct History {
    /// The events from the first one on, up to one that no game explains.
    pub explained: Vec<HistoricEvent>,
    /// That event and those after it, as they were stored.
    pub rest: Vec<RecordedEvent>,
    /// What is wrong with the first of the rest.
    unreadable: Option<LoadError>,
}

impl History {
    /// Adds an event that no game explains, or one after such an event.
    pub(super) fn add_unexplained(&mut self, recorded: RecordedEvent, error: LoadError) {
        self.unreadable.get_or_insert(error);
        self.rest.push(recorded);
    }

    /// Every event, as it was stored.
    pub fn recorded(&self) -> impl Iterator<Item = &RecordedEvent> {
        let explained = self.explained.iter().map(|event| &event.recorded);
        explained.chain(&self.rest)
    }

    /// Every event, if the game explains them all.
    pub fn whole(self) -> Result<Vec<HistoricEvent>, LoadError> {
        match self.unreadable {
            None => Ok(self.explained),
            Some(error) => Err(error),
        }
    }
}

/// Whether nothing follows this event in its game.
pub fn ends_game(recorded: &RecordedEvent) -> Result<bool, DecodeError> {
    Ok(match decode(&recorded.event_type, &recorded.data)? {
        GameEvent::GameFinished { .. } => true,
        GameEvent::GameStarted { .. } | GameEvent::MoveMade { .. } => false,
    })
}

/// The games of an event store.
pub struct GameRepository {
    store: Arc<dyn EventStore>,
    /// Games as they were when last seen. What is remembered is never answered from
    /// unasked: every load reads the stream from there on, so that memory saves the
    /// transfer and the fold of old events, and can be lost or late without harm. It relies
    /// on the stores to give no revision of a stream to a second event.
    remembered: Cache<GameId, Arc<GameAtRevision>>,
}

/// How many games are remembered, at about a kilobyte each.
const REMEMBERED_GAMES: usize = 16_384;

impl GameRepository {
    /// The games of this store.
    pub fn new(store: Arc<dyn EventStore>) -> GameRepository {
        GameRepository {
            store,
            remembered: Cache::new(REMEMBERED_GAMES),
        }
    }

    /// The store that the games are in.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// The game as it is now; [`Game::NotStarted`] when its stream is absent.
    pub async fn load(&self, id: GameId) -> Result<Arc<GameAtRevision>, LoadError> {
        let remembered = self.remembered.get(&id).unwrap_or_default();
        let slice = self.read(id, remembered.next_revision()).await?;
        if slice.last_revision == remembered.revision {
            return Ok(remembered);
        }
        let mut loaded = Arc::unwrap_or_clone(remembered);
        let continues = slice.last_revision > loaded.revision
            && slice
                .events
                .iter()
                .try_for_each(|recorded| loaded.fold(id, recorded).map(drop))
                .is_ok();
        if continues && loaded.revision == slice.last_revision {
            return Ok(self.remember(id, loaded));
        }
        // Either the stream cannot be explained, or it is not the one that was remembered:
        // somebody deleted it, and perhaps wrote it anew. From the start, then.
        self.remembered.remove(&id);
        let slice = self.read(id, StreamRevision::FIRST).await?;
        let mut loaded = GameAtRevision::default();
        for recorded in &slice.events {
            loaded.fold(id, recorded)?;
        }
        Ok(self.remember(id, loaded))
    }

    /// Every event of the game, each with the game as it stood then; none when the stream
    /// is absent. A game has 44 events at the most, so its whole stream fits in one read.
    pub async fn history(&self, id: GameId) -> Result<Vec<HistoricEvent>, LoadError> {
        self.stored_history(id).await?.whole()
    }

    /// Every event of the game, also when no game explains them all.
    pub async fn stored_history(&self, id: GameId) -> Result<History, LoadError> {
        let slice = self.read(id, StreamRevision::FIRST).await?;
        let mut loaded = GameAtRevision::default();
        let mut history = History::default();
        for recorded in slice.events {
            match loaded.fold(id, &recorded) {
                Ok(event) => history.explained.push(HistoricEvent {
                    recorded,
                    event,
                    game: loaded.game.clone(),
                }),
                // So do all events after it, since none is the next one any more.
                Err(error) => history.add_unexplained(recorded, error),
            }
        }
        if history.rest.is_empty() {
            self.remember(id, loaded);
        }
        Ok(history)
    }

    /// Reads the game's stream. One whose first events are gone counts as deleted: nobody can
    /// tell any more what game it was.
    async fn read(&self, id: GameId, from: StreamRevision) -> Result<StreamSlice, EventStoreError> {
        let stream = id.stream();
        let read = self.store.read_stream(&stream, from).await;
        let read = match read {
            Ok(slice) if from == StreamRevision::FIRST && !slice.has_its_first_event() => {
                Err(EventStoreError::StreamDeleted { stream })
            }
            read => read,
        };
        if let Err(EventStoreError::StreamDeleted { .. }) = read {
            self.forget(id);
        }
        read
    }

    /// Appends what was decided on this state of the game, and returns the game after it.
    pub(super) async fn append(
        &self,
        id: GameId,
        decided_on: Arc<GameAtRevision>,
        command: &Command,
        terms: &CommandOptions,
        events: Vec<GameEvent>,
    ) -> Result<Arc<GameAtRevision>, EventStoreError> {
        let stream = id.stream();
        let expected = ExpectedRevision::at(decided_on.revision);
        let key = terms.key.as_ref();
        let metadata = metadata(command, &terms.metadata);
        let new_events: Vec<_> = events
            .iter()
            .enumerate()
            .map(|(index, event)| {
                let (event_type, data) = encode(event);
                NewEvent {
                    id: event_id(id, command, key, expected, index),
                    event_type,
                    data,
                    metadata: metadata.clone(),
                }
            })
            .collect();
        let mut loaded = Arc::unwrap_or_clone(decided_on);
        loaded
            .event_ids
            .extend(new_events.iter().map(|event| event.id));

        let first = new_events.first().filter(|_| key.is_some()).cloned();
        let length = new_events.len() as u64;
        let appended = self.store.append(&stream, expected, new_events).await?;
        if appended.revision.next() != expected.first_appended().plus(length) {
            // KurrentDB continues a soft-deleted stream, whatever revision was expected.
            self.forget(id);
            return Err(EventStoreError::StreamDeleted { stream });
        }
        if let Some(first) = first {
            let appended = appended.revision;
            self.verify(&stream, expected, appended, &first, command)
                .await?;
        }
        loaded.revision = Some(appended.revision);
        loaded.position = Some(appended.position);
        loaded.game = events.iter().fold(loaded.game, evolve);
        Ok(self.remember(id, loaded))
    }

    /// Asks whether this event is what an append at this revision left there. Stores recognise
    /// a repetition by its ids alone, and those of a key do not tell one move from another: of
    /// two moves with one key, sent at once, both appends would succeed and one be stored. Who
    /// resigned is in no data.
    async fn verify(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        appended: StreamRevision,
        event: &NewEvent,
        command: &Command,
    ) -> Result<(), EventStoreError> {
        let slice = self
            .store
            .read_stream(stream, expected.first_appended())
            .await
            .map_err(|error| EventStoreError::OutcomeUnknown {
                reason: format!("what an append with a key left could not be read: {error}"),
            })?;
        match slice.events.first() {
            Some(stored)
                if stored.event_type == event.event_type
                    && stored.data == event.data
                    && resigned_by(stored).as_ref() == command.resigning() =>
            {
                Ok(())
            }
            Some(_) | None => Err(EventStoreError::WrongExpectedRevision {
                stream: stream.clone(),
                expected,
                // The read may lag behind the append.
                actual: slice.last_revision.max(Some(appended)),
            }),
        }
    }

    /// Forgets the game: its stream was deleted or truncated, or may be.
    pub fn forget(&self, id: GameId) {
        self.remembered.remove(&id);
    }

    /// Forgets all games: the store was restored to an earlier state.
    pub fn forget_all(&self) {
        self.remembered.clear();
    }

    fn remember(&self, id: GameId, loaded: GameAtRevision) -> Arc<GameAtRevision> {
        let loaded = Arc::new(loaded);
        if loaded.revision.is_some() {
            self.remembered.insert(id, loaded.clone());
        }
        loaded
    }
}

impl fmt::Debug for GameRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GameRepository")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
