//! Writes a batch and the new checkpoint in one transaction.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::batch::{Batch, Last, Standing, Touched, Unreadable};
use super::outcome::{IN_PROGRESS, Tally};
use super::projector_state::{Listed, ProjectorState, Truncation};
use crate::sqlite_file::Transaction;

/// Writes the whole batch and ends the transaction, or writes nothing. Afterwards `memory` agrees with the tables; after an error
/// it has to be loaded again. Returns the streams that the batch found to be unreadable.
pub(super) fn commit(
    transaction: Transaction<'_>,
    memory: &mut ProjectorState,
    batch: Batch,
) -> rusqlite::Result<Vec<Unreadable>> {
    insert_players(&transaction, &batch)?;
    let mut tallies = HashMap::new();
    for touched in &batch.games {
        write_game(&transaction, touched, &mut tallies)?;
    }
    write_tallies(&transaction, tallies)?;
    for unreadable in &batch.unreadable {
        transaction
            .prepare_cached("INSERT INTO unreadable_streams VALUES (?1, ?2, ?3)")?
            .execute(params![
                unreadable.stream,
                unreadable.revision,
                unreadable.reason
            ])?;
    }
    let explained = write_truncations(&transaction, &batch)?;
    match &batch.last {
        Some(last) => write_checkpoint(&transaction, memory, last)?,
        None => require_checkpoint(&transaction, memory)?,
    }
    transaction.commit()?;
    let found = i64::try_from(batch.unreadable.len()).unwrap_or(i64::MAX);
    memory.unreadable += found - explained;
    Ok(remember(memory, batch))
}

/// Returns how many streams changed from unreadable to deleted.
fn write_truncations(connection: &Connection, batch: &Batch) -> rusqlite::Result<i64> {
    if batch.truncations.is_empty() {
        return Ok(0);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO truncated_streams VALUES (?1, ?2)
         ON CONFLICT (game) DO UPDATE SET is_deleted = excluded.is_deleted",
    )?;
    let mut delete =
        connection.prepare_cached("DELETE FROM unreadable_streams WHERE stream = ?1")?;
    let mut explained = 0;
    for (game, truncation) in &batch.truncations {
        let is_deleted = *truncation == Truncation::Deleted;
        insert.execute(params![game.as_uuid().as_bytes(), is_deleted])?;
        if is_deleted {
            let deleted = delete.execute([game.stream().as_str()])?;
            explained += i64::try_from(deleted).unwrap_or(i64::MAX);
        }
    }
    Ok(explained)
}

fn insert_players(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    if batch.new_players.is_empty() {
        return Ok(());
    }
    let mut insert =
        connection.prepare_cached("INSERT INTO players (number, name) VALUES (?1, ?2)")?;
    for (name, number) in &batch.new_players {
        insert.execute(params![number, name.as_str()])?;
    }
    Ok(())
}

fn write_game(
    connection: &Connection,
    touched: &Touched,
    tallies: &mut HashMap<i64, Tally>,
) -> rusqlite::Result<()> {
    let Some(listed) = &touched.listed else {
        return Ok(());
    };
    let now = (touched.standing == Standing::Readable).then(|| listed.outcome());
    match (touched.stored, now) {
        (None, None) => {}
        (None, Some(outcome)) => {
            connection
                .prepare_cached(
                    "INSERT INTO games VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                )?
                .execute(params![
                    listed.number,
                    touched.id.as_uuid().as_bytes(),
                    listed.players[0],
                    listed.players[1],
                    outcome,
                    listed.next_side(),
                    listed.revision,
                    listed.started_at,
                    listed.changed_at,
                    listed.is_protected,
                ])?;
        }
        (Some(stored), Some(outcome)) => {
            // The outcome is indexed and changes with the last move only. An update that does not
            // set it leaves the index alone.
            let update = match stored == outcome {
                true => {
                    "UPDATE games SET next_side = ?3, revision = ?4, changed_at = ?5
                     WHERE number = ?1 AND outcome = ?2"
                }
                false => {
                    "UPDATE games SET next_side = ?3, revision = ?4, changed_at = ?5,
                     outcome = ?2 WHERE number = ?1"
                }
            };
            connection.prepare_cached(update)?.execute(params![
                listed.number,
                outcome,
                listed.next_side(),
                listed.revision,
                listed.changed_at,
            ])?;
        }
        (Some(_), None) => {
            connection
                .prepare_cached("DELETE FROM games WHERE number = ?1")?
                .execute([listed.number])?;
        }
    }
    if touched.stored != now {
        move_participations(connection, listed, touched.stored, now, tallies)?;
    }
    Ok(())
}

/// Moves the rows in `participations` from one outcome to the other, and adjusts the players'
/// counters.
fn move_participations(
    connection: &Connection,
    listed: &Listed,
    from: Option<i64>,
    to: Option<i64>,
    tallies: &mut HashMap<i64, Tally>,
) -> rusqlite::Result<()> {
    let [one, two] = listed.players;
    let participants = match one == two {
        true => &listed.players[..1],
        false => &listed.players[..],
    };
    for player in participants {
        let tally = tallies.entry(*player).or_default();
        if let Some(outcome) = from {
            tally.add(outcome, *player == one, *player == two, -1);
            connection
                .prepare_cached(
                    "DELETE FROM participations WHERE player = ?1 AND outcome = ?2 AND game = ?3",
                )?
                .execute([*player, outcome, listed.number])?;
        }
        if let Some(outcome) = to {
            tally.add(outcome, *player == one, *player == two, 1);
            connection
                .prepare_cached("INSERT INTO participations VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![player, outcome, listed.number, listed.is_protected])?;
        }
    }
    Ok(())
}

fn write_tallies(connection: &Connection, tallies: HashMap<i64, Tally>) -> rusqlite::Result<()> {
    if tallies.is_empty() {
        return Ok(());
    }
    let mut update = connection.prepare_cached(
        "UPDATE players SET played = played + ?2, won = won + ?3, lost = lost + ?4,
                            tied = tied + ?5, in_progress = in_progress + ?6
         WHERE number = ?1",
    )?;
    for (player, tally) in tallies {
        update.execute([
            player,
            tally.played,
            tally.won,
            tally.lost,
            tally.tied,
            tally.in_progress,
        ])?;
    }
    Ok(())
}

fn write_checkpoint(
    connection: &Connection,
    memory: &ProjectorState,
    last: &Last,
) -> rusqlite::Result<()> {
    let updated = connection
        .prepare_cached(
            "UPDATE projection SET checkpoint = ?1, next_game = ?2, next_player = ?3,
                                   last_event = ?5, last_time = ?6
             WHERE checkpoint IS ?4",
        )?
        .execute(params![
            last.position.to_string(),
            memory.next_game,
            memory.next_player,
            checkpoint(memory),
            last.id.as_bytes(),
            last.time,
        ])?;
    one_row(updated)
}

/// Checks the checkpoint without moving it, for a batch without events.
fn require_checkpoint(connection: &Connection, memory: &ProjectorState) -> rusqlite::Result<()> {
    let updated = connection
        .prepare_cached("UPDATE projection SET checkpoint = ?1 WHERE checkpoint IS ?1")?
        .execute([checkpoint(memory)])?;
    one_row(updated)
}

fn checkpoint(memory: &ProjectorState) -> Option<String> {
    memory.checkpoint.map(|checkpoint| checkpoint.to_string())
}

/// Fails if the checkpoint in the table is not the one that this projector loaded: a projector that
/// was stopped may have committed since then.
fn one_row(updated: usize) -> rusqlite::Result<()> {
    match updated {
        1 => Ok(()),
        updated => Err(rusqlite::Error::StatementChangedRows(updated)),
    }
}

fn remember(memory: &mut ProjectorState, batch: Batch) -> Vec<Unreadable> {
    if let Some(last) = batch.last {
        memory.checkpoint = Some(last.position);
    }
    memory.has_truncated |= !batch.truncations.is_empty();
    for touched in batch.games {
        if let (Some(listed), Standing::Readable) = (touched.listed, touched.standing)
            && listed.outcome() == IN_PROGRESS
        {
            memory.running.insert(touched.id, listed);
        }
    }
    batch.unreadable
}
