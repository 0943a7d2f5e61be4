//! The tables, and the application id and version that mark a file as a read model.

use rusqlite::Connection;

/// The application id in the header of a SQLite file that is a read model.
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"C4rm");

/// The version of the tables below and of what the projector writes into them. Increment it with
/// every change of either: a file with another version is rebuilt.
pub(super) const VERSION: u32 = 3;

/// The games, the players and the checkpoint.
///
/// An outcome is 0 for a game in progress, 1 or 2 for the player who won, 3 for a tie. A query
/// merges one range of game numbers for each outcome, so that one index serves every combination
/// of filters. A move changes no index, unless it ends the game. Two partial indexes serve lists of
/// protected games; they cost nothing for other games.
const TABLES: &str = "
    CREATE TABLE projection (
        id             INTEGER PRIMARY KEY CHECK (id = 1),
        checkpoint     TEXT,             -- the position of the last event applied
        last_event     BLOB,             -- its id
        last_time      INTEGER,          -- in microseconds since 1970 in UTC
        next_game      INTEGER NOT NULL, -- a number is never used twice
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
    -- A player whose games are all unreadable or deleted has `played = 0` and is in no list.
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
        changed_at INTEGER NOT NULL,
        protected  INTEGER NOT NULL     -- 1: only holders of tokens move
    ) STRICT;
    CREATE INDEX games_by_outcome ON games (outcome, number);
    CREATE INDEX protected_games ON games (outcome, number) WHERE protected = 1;
    CREATE TABLE participations (
        player    INTEGER NOT NULL,
        outcome   INTEGER NOT NULL,
        game      INTEGER NOT NULL,
        protected INTEGER NOT NULL,
        PRIMARY KEY (player, outcome, game)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX protected_participations ON participations (player, outcome, game)
        WHERE protected = 1;
    CREATE TABLE unreadable_streams (
        stream   TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        reason   TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE truncated_streams (
        game       BLOB PRIMARY KEY,
        is_deleted INTEGER NOT NULL      -- 0: the first event existed at the last check
    ) STRICT, WITHOUT ROWID;
";

/// Creates the tables in an empty database.
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

/// Whether the database has exactly the tables and indexes above, and the row with the checkpoint.
pub(super) fn is_complete(connection: &Connection) -> rusqlite::Result<bool> {
    let expected = Connection::open_in_memory()?;
    expected.execute_batch(TABLES)?;
    if definitions(connection)? != definitions(&expected)? {
        return Ok(false);
    }
    connection.query_row("SELECT count(*) = 1 FROM projection", [], |row| row.get(0))
}

/// Whether every table of the database has the name of a table above. A database without tables
/// has not.
pub(super) fn has_only_our_tables(connection: &Connection) -> rusqlite::Result<bool> {
    let expected = Connection::open_in_memory()?;
    expected.execute_batch(TABLES)?;
    let expected = definitions(&expected)?;
    let found = definitions(connection)?;
    let is_expected =
        |(name, _): &(String, String)| expected.iter().any(|(known, _)| known == name);
    Ok(found.iter().any(|(name, _)| name == "projection") && found.iter().all(is_expected))
}

/// The name and the SQL of every table and index. Those that SQLite creates have no SQL.
fn definitions(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Empties the tables. Concurrent readers see the old content or empty tables.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_complete_with_all_tables_and_indexes_and_the_checkpoint() {
        for change in [
            "DROP TABLE games",
            "DROP INDEX games_by_outcome",
            "ALTER TABLE players DROP COLUMN tied",
            "CREATE TABLE more (a)",
            "DELETE FROM projection",
        ] {
            let mut connection = Connection::open_in_memory().expect("memory");
            assert_eq!(is_complete(&connection), Ok(false));
            create(&mut connection).expect("an empty database");
            assert_eq!(is_complete(&connection), Ok(true));
            clear(&mut connection).expect("complete tables");
            assert_eq!(is_complete(&connection), Ok(true));
            connection.execute_batch(change).expect("valid SQL");
            assert_eq!(is_complete(&connection), Ok(false), "{change}");
        }
    }
}
