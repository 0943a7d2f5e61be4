//! Loads games from their streams and appends events to them. The only file that knows both games
//! and stored events.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use quick_cache::sync::Cache;
use uuid::Uuid;

use super::command_options::CommandOptions;
use super::event_id::{ProcessIds, event_id};
use super::event_json::{DecodeError, decode, encode};
use super::event_metadata::event_metadata;
use super::game_id::GameId;
use super::latest_position::LatestPosition;
use super::load_error::{LoadError, UnreadableReason};
use super::resignation::resigned_by;
use super::seats::Seats;
use crate::domain::{Command, Game, GameEvent, Players, evolve, replay};
use crate::event_store::{
    EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent, RecordedEvent,
    StreamName, StreamRevision, StreamSlice,
};

/// A game at a revision of its stream, with what an append to the stream needs.
#[derive(Debug, Clone, Default)]
pub struct GameAtRevision {
    /// The game after the events of the stream.
    pub game: Game,
    /// The revision of the last event; `None` if the stream does not exist.
    pub revision: Option<StreamRevision>,
    /// The position of the last event among all events of the store.
    pub position: Option<GlobalPosition>,
    /// The id of every event, by revision. At most 44 in a game that was played with this service.
    pub event_ids: Vec<Uuid>,
    /// The hashes of the players' tokens; `None` if the game is not protected.
    pub seats: Option<Arc<Seats>>,
}

impl GameAtRevision {
    /// The game after these events, which are the first ones of its history.
    pub fn as_of(history: &[HistoricEvent]) -> GameAtRevision {
        let last = history.last();
        GameAtRevision {
            game: last.map(|last| last.game.clone()).unwrap_or_default(),
            revision: last.map(|last| last.recorded.revision),
            position: last.map(|last| last.recorded.position),
            event_ids: history.iter().map(|event| event.recorded.id).collect(),
            seats: history.first().and_then(|first| seats(&first.recorded)),
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
        if let GameEvent::GameStarted { .. } = event {
            self.seats = seats(recorded);
        }
        Ok(event)
    }
}

/// The seats of the game that starts with this event.
fn seats(first: &RecordedEvent) -> Option<Arc<Seats>> {
    Seats::of_metadata(&first.metadata).map(Arc::new)
}

/// Checks that the stored event has the next revision, decodes it, and applies it to the game.
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

/// A game that is built event by event, for a reader of the events of all games. Nothing can be
/// appended to it.
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
    /// Applies the next event of the game. If the event is not valid, the game is unchanged.
    pub fn fold(&mut self, recorded: &RecordedEvent) -> Result<(), UnreadableReason> {
        fold(&mut self.game, self.next, recorded)?;
        self.next = recorded.revision.next();
        Ok(())
    }

    /// The game after the events so far.
    pub fn game(&self) -> &Game {
        &self.game
    }
}

/// An event of a game, in its stored form and decoded, with the game after it.
#[derive(Debug, Clone)]
pub struct HistoricEvent {
    /// The event in its stored form.
    pub recorded: RecordedEvent,
    /// The decoded event.
    pub event: GameEvent,
    /// The game after this event.
    pub game: Game,
}

/// All stored events of a game, also if some of them are not valid.
#[derive(Debug, Default)]
pub struct History {
    /// The valid events: those before the first invalid one.
    pub explained: Vec<HistoricEvent>,
    /// The first invalid event and all events after it, in their stored form.
    pub rest: Vec<RecordedEvent>,
    /// Why the first invalid event is not valid.
    error: Option<LoadError>,
}

impl History {
    /// Every event, in its stored form.
    pub fn recorded(&self) -> impl Iterator<Item = &RecordedEvent> {
        let explained = self.explained.iter().map(|event| &event.recorded);
        explained.chain(&self.rest)
    }

    /// Every event, or the error if one of them is not valid.
    pub fn whole(self) -> Result<Vec<HistoricEvent>, LoadError> {
        match self.error {
            None => Ok(self.explained),
            Some(error) => Err(error),
        }
    }
}

/// Whether this event ends its game.
pub fn ends_game(recorded: &RecordedEvent) -> Result<bool, DecodeError> {
    Ok(match decode(&recorded.event_type, &recorded.data)? {
        GameEvent::GameFinished { .. } => true,
        GameEvent::GameStarted { .. } | GameEvent::MoveMade { .. } => false,
    })
}

/// The players of the game that starts with this event; `None` if the event does not start a game.
pub fn players_at_start(recorded: &RecordedEvent) -> Result<Option<Players>, DecodeError> {
    Ok(match decode(&recorded.event_type, &recorded.data)? {
        GameEvent::GameStarted {
            player_one: one,
            player_two: two,
        } => Some(Players { one, two }),
        GameEvent::MoveMade { .. } | GameEvent::GameFinished { .. } => None,
    })
}

/// The games of an event store.
pub struct GameRepository {
    store: Arc<dyn EventStore>,
    /// The latest known state of each game. An entry may be missing or outdated: every load reads the
    /// events after the cached revision, and an append at an outdated revision fails. This relies on a
    /// guarantee of the stores: a revision of a stream is never given to a second event. Only games
    /// whose events were deleted must not be in it.
    cache: Cache<GameId, Arc<GameAtRevision>>,
    /// Whether this process hears of deletions as they happen.
    is_following: AtomicBool,
    /// Counts when games are forgotten. A call that began before cannot know whether its game still
    /// exists, and does not cache it.
    forgotten: AtomicU64,
    last_append: LatestPosition,
    process: ProcessIds,
}

/// How many games are cached, at about 1 kB each.
const CACHED_GAMES: usize = 16_384;

impl GameRepository {
    /// The games of this store.
    pub fn new(store: Arc<dyn EventStore>) -> GameRepository {
        GameRepository {
            store,
            cache: Cache::new(CACHED_GAMES),
            is_following: AtomicBool::new(false),
            forgotten: AtomicU64::new(0),
            last_append: LatestPosition::default(),
            process: ProcessIds::default(),
        }
    }

    /// The store that contains the games.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// The latest state of the game that this process knows, without a call of the store. `None` if
    /// it knows none, or would not hear that the game was deleted. It may be outdated: use it for an
    /// append, which then fails, and confirm everything else with [`load`](GameRepository::load).
    pub(super) fn remembered(&self, id: GameId) -> Option<Arc<GameAtRevision>> {
        let is_following = self.is_following.load(Ordering::SeqCst);
        is_following.then(|| self.cache.get(&id)).flatten()
    }

    /// The greatest position of an append that this process has carried out.
    pub(super) fn last_append(&self) -> Option<GlobalPosition> {
        self.last_append.last()
    }

    /// The current game; [`Game::NotStarted`] if its stream does not exist.
    pub async fn load(&self, id: GameId) -> Result<Arc<GameAtRevision>, LoadError> {
        let forgotten = self.forgotten();
        let cached = self.cache.get(&id).unwrap_or_default();
        let slice = self.read(id, cached.next_revision()).await?;
        if slice.last_revision == cached.revision {
            return Ok(cached);
        }
        let mut loaded = Arc::unwrap_or_clone(cached);
        let continues = slice.last_revision > loaded.revision
            && slice
                .events
                .iter()
                .try_for_each(|recorded| loaded.fold(id, recorded).map(drop))
                .is_ok();
        if continues && loaded.revision == slice.last_revision {
            return Ok(self.insert(id, loaded, forgotten));
        }
        // Either the stream is not valid, or it is not the stream that was cached: it was deleted, and
        // perhaps written again. So read it from the start.
        self.forget(id);
        let forgotten = self.forgotten();
        let slice = self.read(id, StreamRevision::FIRST).await?;
        let mut loaded = GameAtRevision::default();
        for recorded in &slice.events {
            loaded.fold(id, recorded)?;
        }
        Ok(self.insert(id, loaded, forgotten))
    }

    /// Every event of the game, each with the game after it; empty if the stream does not exist. A
    /// game has at most 44 events, so one read returns the whole stream.
    pub async fn history(&self, id: GameId) -> Result<Vec<HistoricEvent>, LoadError> {
        self.stored_history(id).await?.whole()
    }

    /// Every event of the game, also if some of them are not valid.
    pub async fn stored_history(&self, id: GameId) -> Result<History, LoadError> {
        let forgotten = self.forgotten();
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
                // After an invalid event, every event has the wrong revision, so all of them get here.
                Err(error) => {
                    history.error.get_or_insert(error);
                    history.rest.push(recorded);
                }
            }
        }
        if history.rest.is_empty() {
            self.insert(id, loaded, forgotten);
        }
        Ok(history)
    }

    /// Reads the stream of the game. A truncated stream counts as deleted: without its first
    /// events, the game cannot be known.
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

    /// Appends the events that were decided on this state of the game. Returns the game after them,
    /// and whether an earlier append had stored them.
    pub(super) async fn append(
        &self,
        id: GameId,
        decided_on: Arc<GameAtRevision>,
        command: &Command,
        options: &CommandOptions,
        events: Vec<GameEvent>,
    ) -> Result<(Arc<GameAtRevision>, bool), EventStoreError> {
        let forgotten = self.forgotten();
        // It may have been forgotten since the decision. Then it is not cached again.
        let is_cached = self.cache.peek(&id).is_some();
        let may_cache = is_cached || decided_on.revision.is_none();
        let stream = id.stream();
        let expected = ExpectedRevision::at(decided_on.revision);
        let key = options.key.as_ref();
        let metadata = event_metadata(command, options);
        let new_events: Vec<_> = events
            .iter()
            .enumerate()
            .map(|(index, event)| {
                let (event_type, data) = encode(event);
                NewEvent {
                    id: event_id(&self.process, id, command, options, expected, index),
                    event_type: event_type.into(),
                    data,
                    metadata: metadata.clone(),
                }
            })
            .collect();
        let before = &decided_on.event_ids;
        let mut event_ids = Vec::with_capacity(before.len() + new_events.len());
        event_ids.extend_from_slice(before);
        event_ids.extend(new_events.iter().map(|event| event.id));

        let first = new_events.first().filter(|_| key.is_some()).cloned();
        let length = new_events.len() as u64;
        let appended = self.store.append(&stream, expected, new_events).await?;
        self.last_append.add(Some(appended.position));
        if appended.revision.next() != expected.first_appended().plus(length) {
            // KurrentDB appends to a soft-deleted stream, whatever the expected revision.
            self.forget(id);
            return Err(EventStoreError::StreamDeleted { stream });
        }
        if let Some(first) = first {
            let appended = appended.revision;
            self.verify(&stream, expected, appended, &first, command)
                .await?;
        }
        let loaded = GameAtRevision {
            game: events.iter().fold(decided_on.game.clone(), evolve),
            revision: Some(appended.revision),
            position: Some(appended.position),
            event_ids,
            seats: match command {
                Command::StartGame(_) => options.seats.clone().map(Arc::new),
                Command::MakeMove(_) | Command::Resign(_) => decided_on.seats.clone(),
            },
        };
        let loaded = match may_cache {
            true => self.insert(id, loaded, forgotten),
            false => Arc::new(loaded),
        };
        Ok((loaded, appended.is_repetition))
    }

    /// Checks that the event stored at this revision is the one that was appended. A store
    /// recognises a repeated append by its event ids alone, and ids made from a key do not depend on
    /// the move. If two different moves with the same key are sent at the same time, both appends
    /// succeed, but only one of the moves is stored. The player of a resignation is compared
    /// separately, since it is stored in the metadata and not in the data.
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
                reason: format!("the appended event could not be read back: {error}"),
            })?;
        match slice.events.first() {
            Some(stored)
                if stored.event_type == event.event_type
                    && stored.data == event.data
                    && resigned_by(stored).as_ref() == command.resigning_player() =>
            {
                Ok(())
            }
            Some(_) | None => Err(EventStoreError::WrongExpectedRevision {
                stream: stream.clone(),
                expected,
                // The read may return an older state than the append.
                actual: slice.last_revision.max(Some(appended)),
            }),
        }
    }

    /// Sets whether this process hears of events and deletions as they happen. While it does not,
    /// every command reads its game. Call it with `true` only when all deletions so far were passed to
    /// [`forget`](GameRepository::forget).
    pub fn follow(&self, is_following: bool) {
        self.is_following.store(is_following, Ordering::SeqCst);
    }

    /// Brings the cached game up to date with an event of another replica.
    pub fn heard(&self, recorded: &RecordedEvent) {
        let forgotten = self.forgotten();
        let Some(id) = GameId::of_stream(&recorded.stream) else {
            return;
        };
        let cached = self.cache.peek(&id);
        let Some(cached) = cached.filter(|cached| cached.next_revision() == recorded.revision)
        else {
            return;
        };
        let mut game = Arc::unwrap_or_clone(cached);
        if game.fold(id, recorded).is_ok() {
            self.insert(id, game, forgotten);
        }
    }

    /// Removes the game from the cache: its stream was or may have been deleted or truncated.
    pub fn forget(&self, id: GameId) {
        self.count_forgotten(|| drop(self.cache.remove(&id)));
    }

    /// Clears the cache: the store was restored to an earlier state.
    pub fn forget_all(&self) {
        self.last_append.forget();
        self.count_forgotten(|| self.cache.clear());
    }

    /// Counts before and after: a call that begins in between may still find the game.
    fn count_forgotten(&self, remove: impl FnOnce()) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        remove();
        self.forgotten.fetch_add(1, Ordering::SeqCst);
    }

    fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    /// Caches the game, unless a game was forgotten since `forgotten` was read.
    fn insert(&self, id: GameId, loaded: GameAtRevision, forgotten: u64) -> Arc<GameAtRevision> {
        let loaded = Arc::new(loaded);
        if loaded.revision.is_some() {
            self.cache.insert(id, loaded.clone());
            // Checked after the insertion. Before it, the game could be forgotten in between.
            if self.forgotten() != forgotten {
                self.cache.remove(&id);
            }
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
