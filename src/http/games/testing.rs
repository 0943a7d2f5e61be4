//! Test helpers: games that were played.

use crate::domain::{Disc, Game, GameEvent, GameResult, PlayerName, replay};
use crate::event_store::StreamRevision;

/// A game between these two, with these moves made in turns, and the revision after them. It is finished if the
/// first player has four in a row.
pub(super) fn played(players: [&str; 2], columns: &str) -> (Game, StreamRevision) {
    let players = players.map(PlayerName::recorded);
    let mut events = vec![GameEvent::GameStarted {
        player_one: players[0].clone(),
        player_two: players[1].clone(),
    }];
    for (player, column) in players.iter().cycle().zip(columns.chars()) {
        events.push(GameEvent::MoveMade {
            player: player.clone(),
            column: column.to_string().parse().expect("a column"),
        });
    }
    let mut game = Game::NotStarted;
    for event in &events {
        replay(&mut game, event).expect("a game");
    }
    if game.board().has_four(Disc::Yellow) {
        events.push(GameEvent::GameFinished {
            result: GameResult::PlayerOneWon,
        });
        replay(&mut game, &events[events.len() - 1]).expect("a finish");
    }
    (game, StreamRevision::new(events.len() as u64 - 1))
}
