//! The tables, and how a file says that it holds them.

use rusqlite::Connection;

/// Marks a SQLite file as a read model, in its header.
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"C4rm");

/// The version of the tables below, and of what the projector writes into them. To be raised
/// with every change of either: files of any other version are built anew.
pub(super) const VERSION: u32 = 2;

/// The games and players, and how far the events were followed.
///
/// Outcomes are 0 while a game goes on, 1 or 2 for the player who won, 3 for a tie. Lists
/// merge one range of numbers for each outcome asked for, so that one index serves every
/// combination of filters, and a move changes no index at all.
const TABLES: &str = "
    CREATE TABLE projection (
        id             INTEGER PRIMARY KEY CHECK (id = 1),
        checkpoint     TEXT,             -- the position of the last event applied
        last_event     BLOB,             -- its id
        last_time      INTEGER,          -- in microseconds since 1970 in UTC
        next_game      INTEGER NOT NULL, -- numbers are never given twice
        next_player    INTEGER NOT NULL
    ) STRICT;
    INSERT INTO projection VALUES (1, NULL, NULL, NULL, 1, 1);
    CREATE TABLE players (
        number      INTEGER PRIMARY KEY,
        name        TEXT NOT NULL UNIQUE,
        played      INTEGER NOT NULL DEFAULT 0,
        won         INTEGER NOT NULL DEFAULT 0,
        lost        INTEGER NOT NULL DEFAULT 0,
        tied        INTEGER NOT NULL DEFAULT 0,
        in_progress INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    -- A player whose games all turned out unreadable, or were deleted, is in no list.
    CREATE INDEX players_by_won ON players (won DESC, name) WHERE played > 0;
    CREATE INDEX players_by_played ON players (played DESC, name) WHERE played > 0;
    CREATE TABLE games (
        number     INTEGER PRIMARY KEY, -- in the order of their first events
        id         BLOB NOT NULL UNIQUE,
        player_one INTEGER NOT NULL,    -- players.number
        player_two INTEGER NOT NULL,
        outcome    INTEGER NOT NULL,
        next_side  INTEGER NOT NULL,    -- 0, 1 or 2
        revision   INTEGER NOT NULL,
        started_at INTEGER NOT NULL,    -- microseconds since 1970 in UTC
        changed_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX games_by_outcome ON games (outcome, number);
    CREATE TABLE participations (
        player  INTEGER NOT NULL,
        outcome INTEGER NOT NULL,
        game    INTEGER NOT NULL,
        PRIMARY KEY (player, outcome, game)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE unreadable_streams (
        stream   TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        reason   TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE truncated_streams (
        game       BLOB PRIMARY KEY,
        is_deleted INTEGER NOT NULL      -- 0: its first event was still there at the last look
    ) STRICT, WITHOUT ROWID;
";

/// Makes the tables in an empty database.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

/// Empties the tables; who reads meanwhile sees them full or empty.
pub(super) fn clear(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "DROP TABLE projection;
         DROP TABLE players;
         DROP TABLE games;
         DROP TABLE participations;
         DROP TABLE unreadable_streams;
         DROP TABLE truncated_streams;",
    )?;
    transaction.execute_batch(TABLES)?;
    transaction.commit()
}
