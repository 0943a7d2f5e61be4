//! Helpers for stores, read models and their rows.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use connect_four::application::{GameId, encode};
use connect_four::domain::GameEvent;
use connect_four::event_store::{
    EventStore, ExpectedRevision, GlobalPosition, NewEvent, RecordedEvent, SqliteStore, StreamName,
    StreamRevision,
};
use connect_four::read_model::{
    GamesQuery, Projecting, ReadModel, ReadModelLocation, StoreObserver,
};
use rusqlite::types::ValueRef;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;
use uuid::Uuid;

use crate::generated::name;

/// A time-out that is longer than any step of these tests takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A read model that follows a store.
pub(crate) struct Following {
    pub(crate) model: Arc<ReadModel>,
    pub(crate) told: Arc<Told>,
    projecting: Projecting,
}

impl Following {
    pub(crate) async fn in_memory(store: &Arc<dyn EventStore>) -> Following {
        Following::at(&ReadModelLocation::Memory, store).await
    }

    pub(crate) async fn in_file(path: &Path, store: &Arc<dyn EventStore>) -> Following {
        Following::at(&ReadModelLocation::File(path.to_owned()), store).await
    }

    async fn at(location: &ReadModelLocation, store: &Arc<dyn EventStore>) -> Following {
        let model = ReadModel::open(location).await.expect("it opens");
        Following::by(model, store)
    }

    pub(crate) fn by(model: ReadModel, store: &Arc<dyn EventStore>) -> Following {
        let (model, told) = (Arc::new(model), Arc::new(Told::default()));
        let projecting = model.start(store.clone(), told.clone());
        Following {
            model,
            told,
            projecting,
        }
    }

    pub(crate) async fn catches_up(&self) {
        let caught_up = timeout(PATIENCE, self.model.caught_up()).await;
        caught_up.expect("it catches up in time");
    }

    pub(crate) async fn sees(&self, position: GlobalPosition) {
        let reached = timeout(PATIENCE, self.model.reached(position)).await;
        reached.expect("it is visible in time");
    }

    pub(crate) async fn stop(self) {
        self.projecting.stop().await;
    }

    /// The numbers of all games, newest first.
    pub(crate) async fn numbers(&self) -> Vec<u64> {
        let query = GamesQuery {
            limit: 10_000,
            ..GamesQuery::default()
        };
        let page = self.model.games(&query).await.expect("an answer");
        page.games.iter().map(|game| game.number).collect()
    }
}

/// Records the calls that the rest of the process would receive.
#[derive(Debug, Default)]
pub(crate) struct Told {
    following: Mutex<Vec<bool>>,
    truncated: Mutex<Vec<GameId>>,
    restored: AtomicUsize,
}

impl Told {
    pub(crate) fn restored(&self) -> usize {
        self.restored.load(Ordering::SeqCst)
    }

    /// Whether the projector heard of everything as it happened: every change, from the start.
    pub(crate) fn following(&self) -> Vec<bool> {
        self.following.lock().expect("nothing panics").clone()
    }

    pub(crate) fn truncated(&self) -> Vec<GameId> {
        self.truncated.lock().expect("nothing panics").clone()
    }
}

impl StoreObserver for Told {
    fn is_following(&self, is_following: bool) {
        let mut following = self.following.lock().expect("nothing panics");
        if following.last() != Some(&is_following) {
            following.push(is_following);
        }
    }

    fn recorded(&self, _: &RecordedEvent) {}

    fn stream_truncated(&self, game: GameId) {
        self.truncated.lock().expect("nothing panics").push(game);
    }

    fn store_restored(&self) {
        self.restored.fetch_add(1, Ordering::SeqCst);
    }
}

/// Waits until the condition holds.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .expect("the condition holds in time");
}

/// A temporary folder. Can build a second read model from the store, to compare rows with.
pub(crate) struct Files(pub(crate) TempDir);

impl Files {
    pub(crate) fn new() -> Files {
        Files(TempDir::new().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The URL of the SQLite event store.
    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.path("events.db").display())
    }

    /// The SQLite event store. No program may be using it.
    pub(crate) async fn events(&self) -> Arc<dyn EventStore> {
        let store = SqliteStore::open(self.path("events.db")).await;
        Arc::new(store.expect("it opens"))
    }

    /// The read model that a program uses by default with the SQLite event store.
    pub(crate) fn location(&self) -> ReadModelLocation {
        ReadModelLocation::of_event_store(&self.url()).with_version()
    }

    /// The file of [`location`](Files::location).
    pub(crate) fn model(&self) -> PathBuf {
        match self.location() {
            ReadModelLocation::File(path) => path,
            ReadModelLocation::Memory => panic!("it is next to the events"),
        }
    }

    /// Asserts that the default read model, once it has caught up, equals a rebuilt one.
    pub(crate) async fn assert_is_as_rebuilt(&self) {
        let (store, model) = (self.events().await, self.model());
        let following = Following::in_file(&model, &store).await;
        following.catches_up().await;
        following.stop().await;
        let grown = rows(&model);
        // Not `assert_eq`, which would print every row.
        assert!(grown == self.rebuilt_rows(&store).await);
        assert!(grown.lines().count() > 100);
    }

    pub(crate) async fn rebuilt_rows(&self, store: &Arc<dyn EventStore>) -> String {
        let path = self.path(&format!("rebuilt-{}.db", Uuid::now_v7()));
        let following = Following::in_file(&path, store).await;
        following.catches_up().await;
        following.stop().await;
        rows(&path)
    }
}

const TABLES: [&str; 6] = [
    "projection",
    "players",
    "games",
    "participations",
    "unreadable_streams",
    "truncated_streams",
];

/// Every row of every table, as text. Nobody may write to the file meanwhile.
pub(crate) fn rows(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).expect("a database");
    let mut rows = Vec::new();
    for table in TABLES {
        let select = format!("SELECT * FROM {table}");
        let mut statement = connection.prepare(&select).expect("a table");
        let columns = statement.column_count();
        let mut found = statement.query([]).expect("its rows");
        while let Some(row) = found.next().expect("a row") {
            let mut text = format!("{table}:");
            for column in 0..columns {
                let value: ValueRef<'_> = row.get_ref(column).expect("a value");
                let _ = write!(text, " {value:?}");
            }
            rows.push(text);
        }
    }
    rows.sort();
    rows.join("\n")
}

/// The number of events in a stream that only this test writes to.
pub(crate) async fn append(
    store: &Arc<dyn EventStore>,
    game: GameId,
    events: &[GameEvent],
) -> GlobalPosition {
    append_to(store, &game.stream(), events).await
}

pub(crate) async fn append_to(
    store: &Arc<dyn EventStore>,
    stream: &StreamName,
    events: &[GameEvent],
) -> GlobalPosition {
    let end = store.read_stream(stream, StreamRevision::FIRST).await;
    let end = end.expect("the store answers").last_revision;
    let events = events.iter().map(|event| {
        let (event_type, data) = encode(event);
        NewEvent {
            id: Uuid::now_v7(),
            event_type: event_type.into(),
            data,
            metadata: Bytes::new(),
        }
    });
    let appended = store.append(stream, ExpectedRevision::at(end), events.collect());
    appended.await.expect("nobody else appends").position
}

pub(crate) fn started(one: &str, two: &str) -> GameEvent {
    GameEvent::GameStarted {
        player_one: name(one),
        player_two: name(two),
    }
}

pub(crate) fn moved(player: &str, column: &str) -> GameEvent {
    GameEvent::MoveMade {
        player: name(player),
        column: serde_json::from_value(json!(column)).expect("a column"),
    }
}

pub(crate) fn finished(result: &str) -> GameEvent {
    GameEvent::GameFinished {
        result: serde_json::from_value(json!(result)).expect("a result"),
    }
}

/// Starts this number of games between ada and grace.
pub(crate) async fn start_games(store: &Arc<dyn EventStore>, games: usize) -> Vec<GameId> {
    let mut ids = Vec::new();
    for _ in 0..games {
        let id = GameId::generate();
        append(store, id, &[started("ada", "grace")]).await;
        ids.push(id);
    }
    ids
}
