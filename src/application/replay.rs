//! Finds in a game's own stream what a request asks for and what was done before. The stream is
//! the only table of requests, so this is as true after a restart and at another replica.

use super::event_id::keyed_event_id;
use super::game_id::GameId;
use super::game_stream::{HistoricEvent, Loaded};
use super::terms::IdempotencyKey;
use crate::domain::{GameEvent, MakeMove};
use crate::event_store::StreamRevision;

/// What was found of a move that was asked for.
#[derive(Debug)]
pub(super) enum Found {
    /// The move itself: the game as it left it.
    Made(Loaded),
    /// Another move under the same key.
    Another(MakeMove),
}

/// Whether a move of this game was made with this key.
pub(super) fn is_used(id: GameId, loaded: &Loaded, key: &IdempotencyKey) -> bool {
    loaded.event_ids.contains(&keyed_event_id(id, key, 0))
}

/// The move that was made with this key.
pub(super) fn keyed_move(
    id: GameId,
    history: &[HistoricEvent],
    key: &IdempotencyKey,
    asked: &MakeMove,
) -> Option<Found> {
    let first = keyed_event_id(id, key, 0);
    let is_first = |event: &HistoricEvent| event.recorded.id == first;
    let place = history.iter().position(is_first)?;
    let made = move_at(history, place)?;
    if made != *asked {
        return Some(Found::Another(made));
    }
    let finish = history.get(place + 1);
    let is_finished_by_it =
        finish.is_some_and(|finish| finish.recorded.id == keyed_event_id(id, key, 1));
    let last = place + usize::from(is_finished_by_it);
    Some(Found::Made(Loaded::as_of(history.get(..=last)?)))
}

/// The game as this very move left it, if it is what came next after this revision.
pub(super) fn move_after(
    history: &[HistoricEvent],
    revision: StreamRevision,
    asked: &MakeMove,
) -> Option<Loaded> {
    let place = usize::try_from(revision.next().number()).ok()?;
    if move_at(history, place)? != *asked {
        return None;
    }
    let last = resulting_place(history, place);
    Some(Loaded::as_of(history.get(..=last)?))
}

/// The place of the last event that the move at this place caused: its own, or the finish.
///
/// A game can also finish without a move's doing; that finish is not the move's.
pub fn resulting_place(history: &[HistoricEvent], place: usize) -> usize {
    let decided = history
        .get(place)
        .is_some_and(|made| made.game.board().is_decided());
    let finish = history.get(place + 1);
    let is_finish = |next: &HistoricEvent| matches!(next.event, GameEvent::GameFinished { .. });
    place + usize::from(decided && finish.is_some_and(is_finish))
}

fn move_at(history: &[HistoricEvent], place: usize) -> Option<MakeMove> {
    match &history.get(place)?.event {
        GameEvent::MoveMade { player, column } => Some(MakeMove {
            player: player.clone(),
            column: *column,
        }),
        GameEvent::GameStarted { .. } | GameEvent::GameFinished { .. } => None,
    }
}
