//! The board as text, drawn as in the tutorial's terminal program.

use std::fmt::{self, Display, Write};

use icu_properties::CodePointSetData;
use icu_properties::props::BidiControl;

use crate::domain::{Board, Column, Disc, GameResult, PlayerName};

const ROWS: usize = 6;

/// How discs and the frame are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// No colours: the letters Y and R for discs.
    Plain,
    /// The tutorial's ANSI colours: a blue frame and bright discs.
    Ansi,
}

/// The parts that have a colour.
#[derive(Clone, Copy)]
enum Paint {
    Frame,
    Letters,
    Disc(Disc),
}

/// What is drawn of a game. The service builds it from events, the client from a response.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// Where the discs lie.
    pub board: Board,
    /// The player with the yellow discs.
    pub player_one: &'a PlayerName,
    /// The player with the red discs.
    pub player_two: &'a PlayerName,
    /// The player whose turn it is.
    pub next_player: Option<&'a PlayerName>,
    /// How the game ended.
    pub result: Option<GameResult>,
    /// The cells of the winning line, written like `"D1"`.
    pub winning_line: Vec<String>,
    /// The cells to draw in brackets.
    pub marked: Vec<String>,
}

/// The board, the players, and whose turn it is or how the game ended.
pub fn draw(scene: &Scene<'_>, palette: Palette) -> String {
    format!(
        "{}{} {}   {} {}\n{}\n",
        board(scene, palette),
        palette.disc(Disc::Yellow),
        Printable(scene.player_one.as_str()),
        palette.disc(Disc::Red),
        Printable(scene.player_two.as_str()),
        status(scene),
    )
}

fn board(scene: &Scene<'_>, palette: Palette) -> String {
    let columns = Column::ALL.map(|column| (column, scene.board.discs(column).collect::<Vec<_>>()));
    let letters = Column::ALL.map(Column::as_str).join("   ");
    let line = |left, between, right| {
        let bars = ["═══"; Column::ALL.len()].join(between);
        palette.paint(Paint::Frame, &format!("{left}{bars}{right}"))
    };
    let bar = palette.paint(Paint::Frame, "║");
    let rows = (0..ROWS).rev().map(|row| {
        let cells = columns.each_ref().map(|(column, discs)| {
            let Some(disc) = discs.get(row) else {
                return "   ".to_owned();
            };
            let (disc, cell) = (palette.disc(*disc), format!("{column}{}", row + 1));
            match scene.marked.contains(&cell) {
                true => format!("({disc})"),
                false => format!(" {disc} "),
            }
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
fn status(scene: &Scene<'_>) -> String {
    let won = |player: &PlayerName| {
        let name = Printable(player.as_str());
        match scene.winning_line[..] {
            [] => format!("{name} won"),
            _ => format!("{name} won: {}", Printable(&scene.winning_line.join(" "))),
        }
    };
    match (scene.result, scene.next_player) {
        (Some(GameResult::PlayerOneWon), _) => won(scene.player_one),
        (Some(GameResult::PlayerTwoWon), _) => won(scene.player_two),
        (Some(GameResult::Tied), _) => "a tie".to_owned(),
        (None, Some(next)) => format!("{}'s turn", Printable(next.as_str())),
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

/// A text with its control characters replaced, so that it can neither send commands to a terminal
/// nor change the direction of the text: the tutorial stores names as they are typed, and a server may
/// send anything.
#[derive(Debug)]
pub struct Printable<'a>(pub &'a str);

impl Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| {
            f.write_char(match is_printable(letter) {
                true => letter,
                false => char::REPLACEMENT_CHARACTER,
            })
        })
    }
}

fn is_printable(letter: char) -> bool {
    const LINE_SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];
    !letter.is_control()
        && !LINE_SEPARATORS.contains(&letter)
        && !CodePointSetData::new::<BidiControl>().contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        let text = "Zoë\u{1b}[2J\u{9b}1m\u{202e}\u{2067}\n\t\u{7f}\u{2028}👩\u{200d}👧 ●";
        let expected = "Zoë\u{fffd}[2J\u{fffd}1m\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}👩\u{200d}👧 ●";
        assert_eq!(Printable(text).to_string(), expected);
    }

    #[test]
    fn no_name_and_no_winning_line_sends_commands_to_a_terminal() {
        let hostile = PlayerName::recorded("\u{1b}]0;title\u{7}\u{9b}2J\u{202e}");
        for result in [None, Some(GameResult::PlayerOneWon)] {
            let scene = Scene {
                board: Board::EMPTY,
                player_one: &hostile,
                player_two: &hostile,
                next_player: Some(&hostile),
                result,
                winning_line: vec!["A1\u{1b}[2J\nB1".to_owned()],
                marked: vec![],
            };
            let drawn = draw(&scene, Palette::Plain);
            assert_eq!(drawn.lines().count(), 16, "{drawn:?}");
            let mut letters = drawn.chars();
            assert!(
                letters.all(|letter| letter == '\n' || is_printable(letter)),
                "{drawn:?}"
            );
        }
    }

    #[test]
    fn marked_cells_are_in_brackets() {
        let [player_one, player_two] =
            ["alice", "bob"].map(|name| PlayerName::parse(name).expect("a name"));
        let (board, _) = Board::EMPTY
            .drop_disc(Column::G, Disc::Yellow)
            .expect("an empty board");
        let scene = Scene {
            board,
            player_one: &player_one,
            player_two: &player_two,
            next_player: Some(&player_two),
            result: None,
            winning_line: vec![],
            marked: vec!["G1".to_owned(), "A1".to_owned()],
        };
        let plain = draw(&scene, Palette::Plain);
        assert!(plain.contains("║   ║   ║(Y)║\n╚"), "{plain}");
        let coloured = draw(&scene, Palette::Ansi);
        assert!(coloured.contains("(\x1b[93m●\x1b[0m)"), "{coloured}");
    }
}
