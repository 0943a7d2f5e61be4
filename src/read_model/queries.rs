//! The SQL queries. Each one reads ranges of an index, without sorting or scanning a table.

use std::fmt::Write;

use chrono::DateTime;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use uuid::Uuid;

use super::answers::{
    Answer, GameStatus, GameSummary, GamesPage, GamesQuery, PlayerRecord, PlayersSort,
};
use super::outcome::{IN_PROGRESS, OUTCOMES, outcome_of, result_of};
use crate::application::GameId;
use crate::event_store::GlobalPosition;

pub(super) fn games(connection: &Connection, query: &GamesQuery) -> rusqlite::Result<GamesPage> {
    let position = position(connection)?;
    let mut numbers = numbers(connection, query)?;
    // One more game was read than asked for: if it exists, there is another page.
    let next = match numbers.len() > query.limit {
        true => {
            numbers.truncate(query.limit);
            numbers.last().copied()
        }
        false => None,
    };
    let mut row = connection.prepare_cached(
        "SELECT games.number, id, revision, one.name, two.name, next_side, outcome, started_at,
                changed_at, protected
         FROM games
         JOIN players AS one ON one.number = player_one
         JOIN players AS two ON two.number = player_two
         WHERE games.number = ?1",
    )?;
    let games = numbers
        .iter()
        .map(|number| row.query_row([number], summary))
        .collect::<rusqlite::Result<_>>()?;
    Ok(GamesPage {
        games,
        next: next.map(i64::cast_unsigned),
        position,
    })
}

/// The numbers of the games, newest first, at most one more than the limit. SQLite merges one index
/// range for each outcome while it reads them, so it reads at most one extra row of each range.
fn numbers(connection: &Connection, query: &GamesQuery) -> rusqlite::Result<Vec<i64>> {
    let outcomes = outcomes(query);
    let before = query.before.map_or(i64::MAX, to_sql);
    let limit = to_sql((query.limit as u64).saturating_add(1));
    let mut player = None;
    if let Some(name) = &query.player {
        match player_number(connection, name)? {
            Some(number) => player = Some(number),
            None => return Ok(Vec::new()),
        }
    }
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<&dyn ToSql> = vec![&before, &limit];
    if let Some(player) = &player {
        values.push(player);
    }
    connection
        .prepare_cached(&statement(player.is_some(), &outcomes, query.is_protected))?
        .query_map(&values[..], |row| row.get(0))?
        .collect()
}

fn outcomes(query: &GamesQuery) -> Vec<i64> {
    let has_status = |outcome: &i64| match query.status {
        None => true,
        Some(GameStatus::InProgress) => *outcome == IN_PROGRESS,
        Some(GameStatus::Finished) => *outcome != IN_PROGRESS,
    };
    let has_result = |outcome: &i64| query.result.is_none() || *outcome == outcome_of(query.result);
    OUTCOMES
        .into_iter()
        .filter(has_status)
        .filter(has_result)
        .collect()
}

fn statement(of_player: bool, outcomes: &[i64], is_protected: Option<bool>) -> String {
    // Written out, so that SQLite uses the partial indexes of protected games.
    let protection = match is_protected {
        None => "",
        Some(true) => " AND protected = 1",
        Some(false) => " AND protected = 0",
    };
    let mut statement = String::new();
    if !of_player && outcomes.len() == OUTCOMES.len() && is_protected != Some(true) {
        let _ = write!(
            statement,
            "SELECT number FROM games WHERE number < ?1{protection}"
        );
    } else {
        for outcome in outcomes {
            if !statement.is_empty() {
                statement.push_str(" UNION ALL ");
            }
            let range = match of_player {
                true => "SELECT game AS number FROM participations WHERE player = ?3 AND game < ?1",
                false => "SELECT number FROM games WHERE number < ?1",
            };
            // Writing to a `String` cannot fail.
            let _ = write!(statement, "{range} AND outcome = {outcome}{protection}");
        }
    }
    statement.push_str(" ORDER BY number DESC LIMIT ?2");
    statement
}

fn summary(row: &Row<'_>) -> rusqlite::Result<GameSummary> {
    let time = |column| {
        let micros = row.get(column)?;
        DateTime::from_timestamp_micros(micros)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, micros))
    };
    let player_one: String = row.get(3)?;
    let player_two: String = row.get(4)?;
    let next_player = match row.get(5)? {
        1 => Some(player_one.clone()),
        2 => Some(player_two.clone()),
        0_i64.. | ..0 => None,
    };
    Ok(GameSummary {
        number: unsigned(row, 0)?,
        id: GameId::from_uuid(Uuid::from_bytes(row.get(1)?)),
        revision: unsigned(row, 2)?,
        player_one,
        player_two,
        next_player,
        result: result_of(row.get(6)?),
        started_at: time(7)?,
        changed_at: time(8)?,
        is_protected: row.get(9)?,
    })
}

const PLAYER: &str = "SELECT name, played, won, lost, tied, in_progress FROM players";

pub(super) fn player(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Answer<Option<PlayerRecord>>> {
    let value = connection
        .prepare_cached(&format!("{PLAYER} WHERE name = ?1 AND played > 0"))?
        .query_row([name], record)
        .optional()?;
    let position = position(connection)?;
    Ok(Answer { value, position })
}

pub(super) fn players(
    connection: &Connection,
    sort: PlayersSort,
    limit: usize,
) -> rusqlite::Result<Answer<Vec<PlayerRecord>>> {
    let column = match sort {
        PlayersSort::Won => "won",
        PlayersSort::Played => "played",
    };
    let statement = format!("{PLAYER} WHERE played > 0 ORDER BY {column} DESC, name LIMIT ?1");
    let value = connection
        .prepare_cached(&statement)?
        .query_map([to_sql(limit as u64)], record)?
        .collect::<rusqlite::Result<_>>()?;
    let position = position(connection)?;
    Ok(Answer { value, position })
}

fn record(row: &Row<'_>) -> rusqlite::Result<PlayerRecord> {
    Ok(PlayerRecord {
        player: row.get(0)?,
        played: unsigned(row, 1)?,
        won: unsigned(row, 2)?,
        lost: unsigned(row, 3)?,
        tied: unsigned(row, 4)?,
        in_progress: unsigned(row, 5)?,
    })
}

/// The number of the player with this name.
pub(super) fn player_number(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT number FROM players WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// The position of the last event that was applied.
pub(super) fn position(connection: &Connection) -> rusqlite::Result<Option<GlobalPosition>> {
    connection
        .prepare_cached("SELECT checkpoint FROM projection")?
        .query_row([], |row| position_in(row, 0))
}

pub(super) fn position_in(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<GlobalPosition>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse()).transpose().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// Saturates. No stored number is that large, but a client may send one.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

#[cfg(test)]
mod tests {
    use super::super::open::open_memory;
    use super::*;
    use crate::domain::GameResult;

    /// SQLite's query plan for the statement.
    fn plan(statement: &str) -> String {
        let connection = open_memory().expect("a database in memory");
        let mut explained = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
            .expect(statement);
        let nothing = vec![rusqlite::types::Null; explained.parameter_count()];
        let steps = explained
            .query_map(rusqlite::params_from_iter(nothing), |row| row.get(3))
            .expect(statement);
        let steps: Vec<String> = steps.map(|step| step.expect("a step")).collect();
        steps.join("\n")
    }

    #[test]
    fn no_list_of_games_is_sorted_or_scanned() {
        use GameStatus::{Finished, InProgress};
        let statuses = [None, Some(InProgress), Some(Finished)];
        let results = [None, Some(GameResult::PlayerTwoWon), Some(GameResult::Tied)];
        for (of_player, is_protected) in [
            (false, None),
            (true, None),
            (false, Some(true)),
            (true, Some(true)),
            (false, Some(false)),
            (true, Some(false)),
        ] {
            for (status, result) in statuses
                .iter()
                .flat_map(|status| results.map(|result| (*status, result)))
            {
                let query = GamesQuery {
                    status,
                    result,
                    ..GamesQuery::default()
                };
                let outcomes = outcomes(&query);
                if outcomes.is_empty() {
                    continue;
                }
                let plan = plan(&statement(of_player, &outcomes, is_protected));
                if is_protected == Some(true) {
                    let index = if of_player {
                        "protected_participations"
                    } else {
                        "protected_games"
                    };
                    assert!(plan.contains(index), "{query:?}: {plan}");
                }
                assert!(!plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
                assert!(!plan.contains("SCAN "), "{query:?}: {plan}");
                let searches = plan.matches("SEARCH ").count();
                assert!(searches <= outcomes.len(), "{query:?}: {plan}");
            }
        }
    }

    #[test]
    fn players_are_read_in_the_order_of_an_index() {
        for column in ["won", "played"] {
            let statement =
                format!("{PLAYER} WHERE played > 0 ORDER BY {column} DESC, name LIMIT ?1");
            let plan = plan(&statement);
            assert!(plan.contains(&format!("players_by_{column}")), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }

    #[test]
    fn a_query_with_contradicting_filters_has_an_empty_answer() {
        let connection = open_memory().expect("a database in memory");
        let query = GamesQuery {
            status: Some(GameStatus::InProgress),
            result: Some(GameResult::Tied),
            limit: 10,
            ..GamesQuery::default()
        };
        let page = games(&connection, &query).expect("an answer");
        assert_eq!((page.games, page.next), (Vec::new(), None));
    }
}
