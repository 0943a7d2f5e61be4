//! A game as text.

use crate::client::Game;
use crate::domain::{GameResult, PlayerName};
use crate::drawing::{Palette, Scene, draw};

/// The board, with the winning line or the last move in brackets.
pub(super) fn board_text(game: &Game, palette: Palette) -> String {
    let last_move = game.last_move.as_ref();
    let last_move = last_move.map(|last| format!("{}{}", last.column, last.row));
    let winning_line = game.winning_line.clone().unwrap_or_default();
    let marked = match winning_line.is_empty() {
        true => last_move.into_iter().collect(),
        false => winning_line.clone(),
    };
    let scene = Scene {
        board: game.board,
        player_one: &game.player_one,
        player_two: &game.player_two,
        next_player: game.next_player.as_ref(),
        result: game.result,
        winning_line,
        marked,
    };
    draw(&scene, palette)
}

/// How the game ended; empty while it is in progress. A game that is won without a line was
/// resigned.
pub(super) fn result_lines(game: &Game) -> Vec<String> {
    let won = |winner: &PlayerName, loser: &PlayerName| match game.winning_line {
        Some(_) => format!("The game is over: {winner} beat {loser}."),
        None => format!("The game is over: {loser} resigned, so {winner} won."),
    };
    let (one, two) = (&game.player_one, &game.player_two);
    match game.result {
        Some(GameResult::PlayerOneWon) => vec![won(one, two)],
        Some(GameResult::PlayerTwoWon) => vec![won(two, one)],
        Some(GameResult::Tied) => vec!["The game is over: the board is full.".to_owned()],
        None => vec![],
    }
}

/// The text as one word of a shell's command line.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.:/".contains(letter);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_for_the_shell() {
        for (name, word) in [
            ("alice", "alice"),
            ("al ice", "'al ice'"),
            ("o'neill", r"'o'\''neill'"),
            ("$(rm)", "'$(rm)'"),
        ] {
            assert_eq!(shell_word(name), word);
        }
    }
}
