//! Recognises repeated requests by the events in the game's own stream. There is no other table of
//! requests, so this also works after a restart and at another replica.

use super::event_id::keyed_event_id;
use super::game_id::GameId;
use super::game_repository::{GameAtRevision, HistoricEvent};
use super::idempotency_key::IdempotencyKey;
use super::resignation::resigned_by;
use crate::domain::{Command, GameEvent, MakeMove, Resign};
use crate::event_store::StreamRevision;

/// What an idempotency key was used for.
#[derive(Debug)]
pub(super) enum KeyUse {
    /// The same move or resignation, with the game after it.
    SameCommand(GameAtRevision),
    /// Another move or resignation.
    OtherCommand(Command),
}

/// Whether a command with this key was carried out in this game.
pub(super) fn is_used(id: GameId, loaded: &GameAtRevision, key: &IdempotencyKey) -> bool {
    loaded.event_ids.contains(&keyed_event_id(id, key, 0))
}

/// Finds the command that was carried out with this key, and compares it with the requested one.
pub(super) fn find_by_key(
    id: GameId,
    history: &[HistoricEvent],
    key: &IdempotencyKey,
    requested: &Command,
) -> Option<KeyUse> {
    let first = keyed_event_id(id, key, 0);
    let is_first = |event: &HistoricEvent| event.recorded.id == first;
    let index = history.iter().position(is_first)?;
    let original = command_at(history, index)?;
    if original != *requested {
        return Some(KeyUse::OtherCommand(original));
    }
    let finish = history.get(index + 1);
    let is_finished_by_it =
        finish.is_some_and(|finish| finish.recorded.id == keyed_event_id(id, key, 1));
    let last = index + usize::from(is_finished_by_it);
    let game = GameAtRevision::as_of(history.get(..=last)?);
    Some(KeyUse::SameCommand(game))
}

/// The game after the requested command, if that command caused the first event after this
/// revision.
pub(super) fn find_after(
    history: &[HistoricEvent],
    revision: StreamRevision,
    requested: &Command,
) -> Option<GameAtRevision> {
    let index = usize::try_from(revision.next().number()).ok()?;
    if command_at(history, index)? != *requested {
        return None;
    }
    let last = resulting_place(history, index);
    Some(GameAtRevision::as_of(history.get(..=last)?))
}

/// The index of the last event that the move at this index caused: the move itself, or the
/// `GameFinished` after it.
///
/// A `GameFinished` can have another cause, such as a resignation. Then it does not count as caused
/// by the move.
pub fn resulting_place(history: &[HistoricEvent], index: usize) -> usize {
    let decided = history
        .get(index)
        .is_some_and(|made| made.game.board().is_decided());
    let finish = history.get(index + 1);
    let is_finish = |next: &HistoricEvent| {
        let is_finish = matches!(next.event, GameEvent::GameFinished { .. });
        is_finish && resigned_by(&next.recorded).is_none()
    };
    index + usize::from(decided && finish.is_some_and(is_finish))
}

/// The move or the resignation that caused the event at this index.
fn command_at(history: &[HistoricEvent], index: usize) -> Option<Command> {
    let historic = history.get(index)?;
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
