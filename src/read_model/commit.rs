//! A batch into the tables, with the checkpoint, in one transaction.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::batch::{Batch, Last, Touched};
use super::memory::{Listed, Memory};
use super::outcome::{IN_PROGRESS, Tally};
use crate::event_store::GlobalPosition;

/// Writes all of it or nothing. Afterwards `memory` is as the tables are; after an error it
/// has to be loaded again.
pub(super) fn commit(
    connection: &mut Connection,
    memory: &mut Memory,
    batch: Batch,
) -> rusqlite::Result<()> {
    let Some(last) = batch.last.clone() else {
        return Ok(());
    };
    let transaction = connection.transaction()?;
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
    write_checkpoint(&transaction, memory, &batch, &last)?;
    transaction.commit()?;
    remember(memory, batch, last.position);
    Ok(())
}

fn insert_players(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
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
    let now = touched.is_readable.then(|| listed.outcome());
    match (touched.stored, now) {
        (None, None) => {}
        (None, Some(outcome)) => {
            connection
                .prepare_cached("INSERT INTO games VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
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
                ])?;
        }
        (Some(stored), Some(outcome)) => {
            // The outcome is in an index, and stays as it is for all moves but the last.
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

/// Who takes part is found under the game's outcome, and is counted by it.
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
                .prepare_cached("INSERT INTO participations VALUES (?1, ?2, ?3)")?
                .execute([*player, outcome, listed.number])?;
        }
    }
    Ok(())
}

fn write_tallies(connection: &Connection, tallies: HashMap<i64, Tally>) -> rusqlite::Result<()> {
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
    memory: &Memory,
    batch: &Batch,
    last: &Last,
) -> rusqlite::Result<()> {
    if let Some((id, position)) = batch.first {
        connection
            .prepare_cached("UPDATE projection SET first_event = ?1, first_position = ?2")?
            .execute(params![id.as_bytes(), position.to_string()])?;
    }
    let updated = connection
        .prepare_cached(
            "UPDATE projection SET checkpoint = ?1, next_game = ?2, next_player = ?3,
                                   last_event = ?5, last_stream = ?6, last_revision = ?7,
                                   last_time = ?8
             WHERE checkpoint IS ?4",
        )?
        .execute(params![
            last.position.to_string(),
            memory.next_game,
            memory.next_player,
            memory.checkpoint.map(|checkpoint| checkpoint.to_string()),
            last.id.as_bytes(),
            last.stream.as_str(),
            last.revision,
            last.time,
        ])?;
    // A projector that was stopped may have committed after this one had read where it was.
    match updated {
        1 => Ok(()),
        updated => Err(rusqlite::Error::StatementChangedRows(updated)),
    }
}

fn remember(memory: &mut Memory, batch: Batch, last: GlobalPosition) {
    memory.checkpoint = Some(last);
    for unreadable in &batch.unreadable {
        memory.unreadable += 1;
        tracing::warn!(
            stream = unreadable.stream,
            revision = unreadable.revision,
            reason = unreadable.reason,
            "no game explains stream {} from revision {} on; lists leave it out",
            unreadable.stream,
            unreadable.revision,
        );
    }
    for touched in batch.games {
        if let (Some(listed), true) = (touched.listed, touched.is_readable)
            && listed.outcome() == IN_PROGRESS
        {
            memory.running.insert(touched.id, listed);
        }
    }
}
