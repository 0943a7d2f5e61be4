//! The text board: a game as the tutorial's terminal program draws it, for people with curl.

use std::fmt::{self, Display, Write};

use crate::application::GameId;
use crate::domain::{Board, Column, Disc, Game, GameResult, PlayerName, Players};
use crate::event_store::StreamRevision;

const ROWS: usize = 6;

/// Whether the board is drawn with ANSI colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Palette {
    /// Letters for discs.
    Plain,
    /// The tutorial's colours: a blue frame, and bright discs.
    Ansi,
}

/// What a colour is used for.
#[derive(Clone, Copy)]
enum Paint {
    Frame,
    Letters,
    Disc(Disc),
}

/// The board, who plays, whose turn it is or who won, and the revision. `None` when there
/// is no game.
pub(super) fn draw(
    id: GameId,
    game: &Game,
    revision: StreamRevision,
    palette: Palette,
) -> Option<String> {
    let players = game.players()?;
    let board = board(game.board(), palette);
    Some(format!(
        "{board}{} {}   {} {}\n{}\nrevision {revision} of /games/{id}\n",
        palette.disc(Disc::Yellow),
        Shown(&players.one),
        palette.disc(Disc::Red),
        Shown(&players.two),
        standing(game, players),
    ))
}

fn board(board: Board, palette: Palette) -> String {
    let columns = Column::ALL.map(|column| board.discs(column).collect::<Vec<_>>());
    let letters = Column::ALL.map(Column::as_str).join("   ");
    let line = |left, between, right| {
        let bars = ["═══"; Column::ALL.len()].join(between);
        palette.paint(Paint::Frame, &format!("{left}{bars}{right}"))
    };
    let bar = palette.paint(Paint::Frame, "║");
    let rows = (0..ROWS).rev().map(|row| {
        let cells = columns.each_ref().map(|column| match column.get(row) {
            Some(disc) => format!(" {} ", palette.disc(*disc)),
            None => "   ".to_owned(),
        });
        format!("{bar}{}{bar}\n", cells.join(&bar))
    });
    let between = format!("{}\n", line("╠", "╬", "╣"));
    format!(
        "  {}\n{}\n{}{}\n",
        palette.paint(Paint::Letters, &letters),
        line("╔", "╦", "╗"),
        rows.collect::<Vec<_>>().join(&between),
        line("╚", "╩", "╝"),
    )
}

/// Whose turn it is, or how the game ended.
fn standing(game: &Game, players: &Players) -> String {
    let won = |player| {
        let line: Vec<_> = game
            .winning_line()
            .iter()
            .map(ToString::to_string)
            .collect();
        match line[..] {
            [] => format!("{} won", Shown(player)),
            _ => format!("{} won: {}", Shown(player), line.join(" ")),
        }
    };
    match (game.result(), game.next_player()) {
        (Some(GameResult::PlayerOneWon), _) => won(&players.one),
        (Some(GameResult::PlayerTwoWon), _) => won(&players.two),
        (Some(GameResult::Tied), _) => "a tie".to_owned(),
        (None, Some(next)) => format!("{}'s turn", Shown(next)),
        (None, None) => String::new(),
    }
}

impl Palette {
    fn disc(self, disc: Disc) -> String {
        let sign = match (self, disc) {
            (Palette::Plain, Disc::Yellow) => "Y",
            (Palette::Plain, Disc::Red) => "R",
            (Palette::Ansi, _) => "●",
        };
        self.paint(Paint::Disc(disc), sign)
    }

    fn paint(self, paint: Paint, text: &str) -> String {
        let code = match (self, paint) {
            (Palette::Plain, _) => return text.to_owned(),
            (Palette::Ansi, Paint::Frame) => 34,
            (Palette::Ansi, Paint::Letters) => 97,
            (Palette::Ansi, Paint::Disc(Disc::Yellow)) => 93,
            (Palette::Ansi, Paint::Disc(Disc::Red)) => 91,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// A name that cannot steer a terminal: the tutorial stored names as they were typed.
struct Shown<'a>(&'a PlayerName);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_str().chars().try_for_each(|letter| {
            f.write_char(match letter.is_control() {
                true => '\u{fffd}',
                false => letter,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GameEvent, replay};

    /// A game between these two, with these moves made in turns.
    fn game(player_one: &str, player_two: &str, columns: &str) -> (GameId, Game, StreamRevision) {
        let name = |name: &str| -> PlayerName {
            serde_json::from_value(name.into()).expect("any text was a name once")
        };
        let players = [name(player_one), name(player_two)];
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
        let revision = StreamRevision::new(events.len() as u64 - 1);
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
