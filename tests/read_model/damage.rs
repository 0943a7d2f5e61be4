//! A damaged read model is discarded and rebuilt, at the start and while it is used.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, MemoryStore};
use connect_four::read_model::{
    GamesQuery, OpenReadModelError, PlayersSort, ReadModel, ReadModelError, ReadModelLocation,
};
use rusqlite::Connection;
use tokio::time::timeout;

use crate::logs::Logs;
use crate::support::{
    Files, Following, PATIENCE, append, finished, rows, start_games, started, until,
};

const PAGE: u64 = 4096;

/// Enough games that every table and index has several pages.
const GAMES: usize = 400;

async fn store_with_games() -> Arc<dyn EventStore> {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    for game in start_games(&store, GAMES / 2).await {
        append(&store, game, &[finished("PLAYER_ONE_WON")]).await;
    }
    for number in 0..GAMES / 2 {
        let player = format!("player {number} with a long name");
        append(&store, GameId::generate(), &[started(&player, "grace")]).await;
    }
    store
}

/// Builds a read model of the store, in one file without a write-ahead log.
async fn built(path: &Path, store: &Arc<dyn EventStore>) {
    let following = Following::in_file(path, store).await;
    following.catches_up().await;
    following.stop().await;
}

fn pages(path: &Path) -> u64 {
    fs::metadata(path).expect("a file").len() / PAGE
}

/// Overwrites pages, which are counted from 0. The first one has the header.
fn overwrite(path: &Path, pages: impl IntoIterator<Item = u64>, byte: u8) {
    let file = File::options().write(true).open(path).expect("a file");
    for page in pages {
        let damage = [byte; PAGE as usize];
        file.write_all_at(&damage, page * PAGE).expect("ours");
    }
}

/// What another program does to the file.
fn execute(path: &Path, sql: &str) {
    let tool = Connection::open(path).expect("a database");
    tool.execute_batch(sql).expect("valid SQL");
}

/// All answers; `None` while a list cannot be answered or may be incomplete.
async fn answers(following: &Following) -> Option<String> {
    let model = &following.model;
    let query = |player: Option<&str>| GamesQuery {
        player: player.map(str::to_owned),
        limit: 10_000,
        ..GamesQuery::default()
    };
    let queries = async {
        Ok::<_, ReadModelError>(format!(
            "{:?} {:?} {:?} {:?} {:?}",
            model.games(&query(None)).await?,
            model.games(&query(Some("ada"))).await?,
            model.players(PlayersSort::Won, 10_000).await?,
            model.players(PlayersSort::Played, 10_000).await?,
            model.player("ada").await?,
        ))
    };
    let answers = queries.await.ok()?;
    model.has_caught_up().then_some(answers)
}

/// Waits until the answers are those of a new read model.
async fn heals(following: &Following, store: &Arc<dyn EventStore>) {
    let new = Following::in_memory(store).await;
    new.catches_up().await;
    let right = answers(&new).await;
    assert!(right.is_some());
    let healing = async {
        while answers(following).await != right {
            tokio::task::yield_now().await;
        }
    };
    let healed = timeout(PATIENCE, healing).await;
    healed.expect("the answers are right in time");
}

#[tokio::test]
async fn any_page_may_be_damaged_while_the_service_is_stopped() {
    let files = Files::new();
    let store = store_with_games().await;
    let path = files.path("model.db");
    built(&path, &store).await;
    let pages = pages(&path);
    assert!(pages > 10);
    for byte in [0, 0xff] {
        for page in 1..pages {
            overwrite(&path, [page], byte);
            let following = Following::in_file(&path, &store).await;
            heals(&following, &store).await;
            following.stop().await;
        }
        overwrite(&path, 1..pages, byte);
        let following = Following::in_file(&path, &store).await;
        heals(&following, &store).await;
        assert_eq!(following.told.restored(), 0, "the store is the same");
        following.stop().await;
        assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
    }
}

#[tokio::test]
async fn a_truncated_file_is_rebuilt() {
    let files = Files::new();
    let store = store_with_games().await;
    let path = files.path("model.db");
    for length in [1, 40, 99, 100, 4096, 20_000] {
        // By its name, this is a read model even when its header is lost.
        let path = files.path("games.read-model.db");
        built(&path, &store).await;
        let file = File::options().write(true).open(&path).expect("a file");
        file.set_len(length).expect("ours");
        let following = Following::in_file(&path, &store).await;
        heals(&following, &store).await;
        following.stop().await;
    }
    built(&path, &store).await;
}

#[tokio::test]
async fn pages_may_be_damaged_while_it_is_used() {
    let files = Files::new();
    let store = store_with_games().await;
    for (number, first) in [0, 1].into_iter().enumerate() {
        for byte in [0, 0xff] {
            let path = files.path(&format!("model-{number}-{byte}.db"));
            built(&path, &store).await;
            let logs = Logs::of_this_thread();
            let following = Following::in_file(&path, &store).await;
            heals(&following, &store).await;
            overwrite(&path, first..pages(&path), byte);
            // A commit makes all connections read the pages again.
            start_games(&store, 1).await;
            heals(&following, &store).await;
            assert_eq!(logs.with("is damaged").len(), 1);
            following.stop().await;
            assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
        }
    }
}

#[tokio::test]
async fn damage_that_only_a_query_meets_is_repaired() {
    let files = Files::new();
    let store = store_with_games().await;
    let path = files.path("model.db");
    built(&path, &store).await;
    // The projector does not read this index.
    let tool = Connection::open(&path).expect("a database");
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'players_by_won'";
    let root: u32 = tool
        .query_row(root, [], |row| row.get(0))
        .expect("an index");
    drop(tool);
    overwrite(&path, [u64::from(root) - 1], 0xff);
    let following = Following::in_file(&path, &store).await;
    following.catches_up().await;
    assert!(answers(&following).await.is_none());
    heals(&following, &store).await;
}

const SOON: Duration = Duration::from_millis(5);

const TABLES: [&str; 6] = [
    "projection",
    "players",
    "games",
    "participations",
    "unreadable_streams",
    "truncated_streams",
];

#[tokio::test]
async fn any_table_may_be_missing() {
    let files = Files::new();
    let store = store_with_games().await;
    for table in TABLES {
        let path = files.path(&format!("{table}.db"));
        built(&path, &store).await;
        let drop_table = format!("DROP TABLE {table}");
        execute(&path, &drop_table);
        let location = ReadModelLocation::File(path.clone());
        let model = ReadModel::open(&location).await.expect("it opens");
        // No query and no event needs some of the tables, so that only the periodic check finds out.
        let following = Following::by(model.checking_store_every(SOON), &store);
        heals(&following, &store).await;

        let logs = Logs::of_this_thread();
        execute(&path, &drop_table);
        until(|| logs.with("it is discarded and rebuilt").len() == 1).await;
        heals(&following, &store).await;
        following.stop().await;
        assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
    }
}

/// Changes that no event explains, and that contradict the program or the store.
const CONTRADICTIONS: [&str; 10] = [
    "DELETE FROM projection",
    "UPDATE projection SET checkpoint = 'nonsense'",
    "UPDATE projection SET checkpoint = '99999999'",
    "UPDATE projection SET checkpoint = '99999999', last_event = NULL, last_time = NULL",
    "UPDATE projection SET checkpoint = '2'",
    "UPDATE projection SET checkpoint = NULL",
    "UPDATE projection SET last_event = x'00'",
    "DROP INDEX games_by_outcome",
    "ALTER TABLE games RENAME COLUMN revision TO version",
    "PRAGMA user_version = 0",
];

#[tokio::test]
async fn a_file_that_contradicts_the_program_or_the_store_is_rebuilt_at_the_start() {
    let files = Files::new();
    let store = store_with_games().await;
    for (number, change) in CONTRADICTIONS.into_iter().enumerate() {
        let path = files.path(&format!("model-{number}.db"));
        built(&path, &store).await;
        execute(&path, change);
        let following = Following::in_file(&path, &store).await;
        heals(&following, &store).await;
        following.stop().await;
        assert_eq!(rows(&path), files.rebuilt_rows(&store).await, "{change}");
    }
}

#[tokio::test]
async fn a_file_that_contradicts_the_program_or_the_store_is_rebuilt_while_it_is_used() {
    let files = Files::new();
    let store = store_with_games().await;
    for (number, change) in CONTRADICTIONS.into_iter().take(7).enumerate() {
        let path = files.path(&format!("model-{number}.db"));
        let following = Following::in_file(&path, &store).await;
        heals(&following, &store).await;
        execute(&path, change);
        start_games(&store, 1).await;
        heals(&following, &store).await;
        following.stop().await;
        assert_eq!(rows(&path), files.rebuilt_rows(&store).await, "{change}");
    }
}

#[tokio::test]
async fn a_read_model_without_its_application_id_is_recognised_by_its_tables() {
    let files = Files::new();
    let store = store_with_games().await;
    let path = files.path("model.db");
    built(&path, &store).await;
    execute(&path, "PRAGMA application_id = 0");
    let following = Following::in_file(&path, &store).await;
    heals(&following, &store).await;
}

#[tokio::test]
async fn a_read_model_without_a_readable_header_is_recognised_by_its_name_or_application_id() {
    let files = Files::new();
    let store = store_with_games().await;
    let named = files.path("games.read-model.db");
    built(&named, &store).await;
    overwrite(&named, [0], 0xff);
    let following = Following::in_file(&named, &store).await;
    heals(&following, &store).await;

    let path = files.path("model.db");
    built(&path, &store).await;
    let file = File::options().write(true).open(&path).expect("a file");
    file.write_all_at(b"garbage", 0).expect("ours");
    let following = Following::in_file(&path, &store).await;
    heals(&following, &store).await;
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone_whatever_its_name() {
    let files = Files::new();
    for (name, sql) in [
        ("games.read-model.db", "CREATE TABLE recipes (name TEXT);"),
        (
            "theirs.db",
            "CREATE TABLE recipes (name TEXT); CREATE TABLE games (name TEXT);",
        ),
        ("wal.db", "PRAGMA journal_mode = WAL; CREATE TABLE a (b);"),
    ] {
        let path = files.path(name);
        let theirs = Connection::open(&path).expect("a database");
        theirs.execute_batch(sql).expect("valid SQL");
        drop(theirs);
        let before = fs::read(&path).expect("still there");
        let location = ReadModelLocation::File(path.clone());
        let refused = ReadModel::open(&location).await.expect_err("not ours");
        assert!(matches!(refused, OpenReadModelError::Foreign { .. }));
        assert_eq!(fs::read(&path).expect("still there"), before);
    }
}

#[tokio::test]
async fn a_file_that_took_the_place_of_the_read_model_is_left_alone() {
    let files = Files::new();
    let store = store_with_games().await;
    let path = files.path("model.db");
    built(&path, &store).await;
    let following = Following::in_file(&path, &store).await;
    heals(&following, &store).await;
    let moved = files.path("moved.db");
    fs::rename(&path, &moved).expect("ours");
    fs::write(&path, "dear ada, it is your turn").expect("a file");
    overwrite(&moved, 0..pages(&moved), 0xff);
    start_games(&store, 1).await;
    let is_damaged = async {
        while answers(&following).await.is_some() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, is_damaged).await.expect("damage is met");
    let letter = || fs::read_to_string(&path).expect("still there");
    assert_eq!(letter(), "dear ada, it is your turn");

    fs::remove_file(&path).expect("ours");
    heals(&following, &store).await;
}
