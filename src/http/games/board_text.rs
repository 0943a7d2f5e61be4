//! The text board: a game as the tutorial's terminal program draws it, for use with curl.

use crate::application::GameId;
use crate::domain::Game;
use crate::drawing;
use crate::drawing::{Palette, Scene};
use crate::event_store::StreamRevision;

/// The board, the players, whose turn it is or who won, and the revision. `None` if there is no game.
pub(crate) fn draw(
    id: GameId,
    game: &Game,
    revision: StreamRevision,
    palette: Palette,
) -> Option<String> {
    let players = game.players()?;
    let winning_line = game.winning_line();
    let scene = Scene {
        board: game.board(),
        player_one: &players.one,
        player_two: &players.two,
        next_player: game.next_player(),
        result: game.result(),
        winning_line: winning_line.iter().map(ToString::to_string).collect(),
        marked: vec![],
    };
    let drawn = drawing::draw(&scene, palette);
    Some(format!("{drawn}revision {revision} of /games/{id}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::games::testing::played;

    /// A game between these two, with these moves made in turns.
    fn game(player_one: &str, player_two: &str, columns: &str) -> (GameId, Game, StreamRevision) {
        let (game, revision) = played([player_one, player_two], columns);
        let id = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e11"
            .parse()
            .expect("an id");
        (id, game, revision)
    }

    fn drawn(columns: &str, palette: Palette) -> String {
        let (id, game, revision) = game("alice", "bob", columns);
        draw(id, &game, revision, palette).expect("a game")
    }

    #[test]
    fn a_running_game_is_drawn() {
        let expected = "  A   B   C   D   E   F   G
╔═══╦═══╦═══╦═══╦═══╦═══╦═══╗
║   ║   ║   ║   ║   ║   ║   ║
╠═══╬═══╬═══╬═══╬═══╬═══╬═══╣
║   ║   ║   ║   ║   ║   ║   ║
╠═══╬═══╬═══╬═══╬═══╬═══╬═══╣
║   ║   ║   ║   ║   ║   ║   ║
╠═══╬═══╬═══╬═══╬═══╬═══╬═══╣
║   ║   ║   ║   ║   ║   ║   ║
╠═══╬═══╬═══╬═══╬═══╬═══╬═══╣
║   ║   ║   ║ R ║   ║   ║   ║
╠═══╬═══╬═══╬═══╬═══╬═══╬═══╣
║ Y ║   ║   ║ Y ║   ║   ║ R ║
╚═══╩═══╩═══╩═══╩═══╩═══╩═══╝
Y alice   R bob
alice's turn
revision 4 of /games/5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e11
";
        assert_eq!(drawn("DDAG", Palette::Plain), expected);
    }

    #[test]
    fn a_finished_game_says_who_won_and_where() {
        let text = drawn("ABABABA", Palette::Plain);
        let end = "\nY alice   R bob\nalice won: A1 A2 A3 A4\nrevision 8 of /games/";
        assert!(text.contains(end), "{text}");
    }

    #[test]
    fn colours_are_the_tutorials() {
        let text = drawn("DD", Palette::Ansi);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "  \x1b[97mA   B   C   D   E   F   G\x1b[0m");
        assert_eq!(lines[1], "\x1b[34m╔═══╦═══╦═══╦═══╦═══╦═══╦═══╗\x1b[0m");
        assert!(lines[10].contains("\x1b[34m║\x1b[0m \x1b[91m●\x1b[0m \x1b[34m║"));
        assert!(lines[12].contains("\x1b[34m║\x1b[0m \x1b[93m●\x1b[0m \x1b[34m║"));
        assert_eq!(lines[14], "\x1b[93m●\x1b[0m alice   \x1b[91m●\x1b[0m bob");
    }

    #[test]
    fn a_stored_name_does_not_steer_the_terminal() {
        let (id, game, revision) = game("al\x1b[2Jice", "bob\n", "");
        let text = draw(id, &game, revision, Palette::Plain).expect("a game");
        assert!(
            text.contains("Y al\u{fffd}[2Jice   R bob\u{fffd}\n"),
            "{text}"
        );
    }
}
