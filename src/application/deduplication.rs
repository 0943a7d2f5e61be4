//! Finds in a game's own stream what a request asks for and what was done before. The stream is
//! the only table of requests, so this is as true after a restart and at another replica.

use super::command_options::IdempotencyKey;
use super::event_id::keyed_event_id;
use super::game_id::GameId;
use super::game_repository::{GameAtRevision, HistoricEvent};
use super::resignation::resigned_by;
use crate::domain::{Command, GameEvent, MakeMove, Resign};
use crate::event_store::StreamRevision;

/// What was found of a move or a resignation that was asked for.
#[derive(Debug)]
pub(super) enum Found {
    /// It was done: the game as it left it.
    Done(GameAtRevision),
    /// Something else was done under the same key.
    Another(Command),
}

/// Whether something was done in this game with this key.
pub(super) fn is_used(id: GameId, loaded: &GameAtRevision, key: &IdempotencyKey) -> bool {
    loaded.event_ids.contains(&keyed_event_id(id, key, 0))
}

/// What was done with this key.
pub(super) fn find_by_key(
    id: GameId,
    history: &[HistoricEvent],
    key: &IdempotencyKey,
    asked: &Command,
) -> Option<Found> {
    let first = keyed_event_id(id, key, 0);
    let is_first = |event: &HistoricEvent| event.recorded.id == first;
    let place = history.iter().position(is_first)?;
    let done = done_at(history, place)?;
    if done != *asked {
        return Some(Found::Another(done));
    }
    let finish = history.get(place + 1);
    let is_finished_by_it =
        finish.is_some_and(|finish| finish.recorded.id == keyed_event_id(id, key, 1));
    let last = place + usize::from(is_finished_by_it);
    Some(Found::Done(GameAtRevision::as_of(history.get(..=last)?)))
}

/// The game as this very command left it, if it is what came next after this revision.
pub(super) fn find_after(
    history: &[HistoricEvent],
    revision: StreamRevision,
    asked: &Command,
) -> Option<GameAtRevision> {
    let place = usize::try_from(revision.next().number()).ok()?;
    if done_at(history, place)? != *asked {
        return None;
    }
    let last = resulting_place(history, place);
    Some(GameAtRevision::as_of(history.get(..=last)?))
}

/// The place of the last event that the move at this place caused: its own, or the finish.
///
/// A game can also finish without a move's doing, as by a resignation; that finish is not the
/// move's.
pub fn resulting_place(history: &[HistoricEvent], place: usize) -> usize {
    let decided = history
        .get(place)
        .is_some_and(|made| made.game.board().is_decided());
    let finish = history.get(place + 1);
    let is_finish = |next: &HistoricEvent| {
        let is_finish = matches!(next.event, GameEvent::GameFinished { .. });
        is_finish && resigned_by(&next.recorded).is_none()
    };
    place + usize::from(decided && finish.is_some_and(is_finish))
}

/// What a player asked for that led to the event at this place.
fn done_at(history: &[HistoricEvent], place: usize) -> Option<Command> {
    let historic = history.get(place)?;
    match &historic.event {
        GameEvent::MoveMade { player, column } => Some(Command::MakeMove(MakeMove {
            player: player.clone(),
            column: *column,
        })),
        GameEvent::GameFinished { .. } => {
            let player = resigned_by(&historic.recorded)?;
            Some(Command::Resign(Resign { player }))
        }
        GameEvent::GameStarted { .. } => None,
    }
}
