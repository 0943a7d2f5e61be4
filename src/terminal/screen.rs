//! Output: a terminal shows one board that is redrawn in place; other outputs get one board after
//! another, without escape sequences.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use crate::drawing::{Palette, Printable};

/// How frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputMode {
    /// Each frame replaces the previous one, in colours.
    Redraw,
    /// Only what has changed, below the previous output, without escape sequences.
    Append,
}

impl OutputMode {
    /// The mode for standard output. `NO_COLOR` (no-color.org) turns off colours, and redrawing
    /// with them.
    fn of_stdout() -> OutputMode {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        match io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb {
            true => OutputMode::Redraw,
            false => OutputMode::Append,
        }
    }

    /// The palette for drawing boards.
    pub(super) fn palette(self) -> Palette {
        match self {
            OutputMode::Redraw => Palette::Ansi,
            OutputMode::Append => Palette::Plain,
        }
    }
}

/// All that is shown at one time. The notes and the question may contain any text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// The board with the players, as [`draw`](crate::drawing::draw) returns it; empty before the
    /// game is known.
    pub(super) board: String,
    /// Lines below it.
    pub(super) notes: Vec<String>,
    /// The prompt; the cursor stays at its end.
    pub(super) question: Option<String>,
}

impl Frame {
    fn printable(&self) -> Frame {
        let printable = |text: &String| Printable(text).to_string();
        Frame {
            board: self.board.clone(),
            notes: self.notes.iter().map(printable).collect(),
            question: self.question.as_ref().map(printable),
        }
    }
}

/// Writes frames to an output.
pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    mode: OutputMode,
    /// Whether the terminal echoes the Enter key after a question.
    echoes: bool,
    shown: Frame,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl Screen {
    pub(super) fn of_stdout() -> Screen {
        Screen::new(
            Box::new(io::stdout()),
            OutputMode::of_stdout(),
            io::stdin().is_terminal(),
        )
    }

    fn new(out: Box<dyn Write + Send>, mode: OutputMode, echoes: bool) -> Screen {
        Screen {
            out,
            mode,
            echoes,
            shown: Frame::default(),
        }
    }

    pub(super) fn mode(&self) -> OutputMode {
        self.mode
    }

    /// The question was answered: the same notes and question count as new the next time.
    pub(super) fn answered(&mut self) {
        self.shown.question = None;
        self.shown.notes.clear();
    }

    /// Other programs have written to the terminal: the next frame is written as a whole.
    pub(super) fn forget(&mut self) {
        self.shown = Frame::default();
    }

    /// Shows this frame in place of the previous one, without the control characters of its notes
    /// and its question.
    pub(super) fn show(&mut self, frame: &Frame) -> io::Result<()> {
        let frame = &frame.printable();
        let text = match (self.mode, frame.board.is_empty()) {
            (OutputMode::Redraw, false) => self.redraw_text(frame),
            (OutputMode::Redraw | OutputMode::Append, _) => self.append_text(frame),
        };
        self.shown = frame.clone();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Starts in the upper left corner. Each line is overwritten and then cleared from its end on,
    /// so that nothing flickers.
    fn redraw_text(&self, frame: &Frame) -> String {
        let mut text = match self.shown.board.is_empty() {
            true => "\x1b[2J\x1b[H".to_owned(),
            false => "\x1b[H".to_owned(),
        };
        for line in frame.board.lines().chain([""]).chain(lines(&frame.notes)) {
            let _ = writeln!(text, "{line}\x1b[K");
        }
        text + frame.question.as_deref().unwrap_or("") + "\x1b[J"
    }

    /// The parts of the frame that the previous one did not have.
    fn append_text(&self, frame: &Frame) -> String {
        let mut text = String::new();
        let is_new_question = frame.question != self.shown.question;
        let is_new_board = frame.board != self.shown.board;
        let new_notes: Vec<_> = lines(&frame.notes)
            .filter(|note| is_new_board || !lines(&self.shown.notes).any(|old| old == *note))
            .collect();
        if !is_new_question && !is_new_board && new_notes.is_empty() {
            return text;
        }
        if self.shown.question.is_some() && self.echoes {
            text.push('\n');
        }
        if is_new_board {
            let _ = write!(text, "{}", frame.board);
        }
        for note in new_notes {
            let _ = writeln!(text, "{note}");
        }
        if let Some(question) = &frame.question {
            text.push_str(question);
            if !self.echoes {
                text.push('\n');
            }
        }
        text
    }
}

fn lines(notes: &[String]) -> impl Iterator<Item = &str> {
    notes.iter().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(board: &str, note: &str, question: &str) -> Frame {
        Frame {
            board: board.to_owned(),
            notes: vec![note.to_owned()],
            question: Some(question.to_owned()),
        }
    }

    #[test]
    fn a_frame_overwrites_the_previous_one() {
        let mut screen = Screen::new(Box::new(io::sink()), OutputMode::Redraw, true);
        let first = screen.redraw_text(&frame("board\n", "note", "? "));
        assert_eq!(
            first,
            "\x1b[2J\x1b[Hboard\x1b[K\n\x1b[K\nnote\x1b[K\n? \x1b[J"
        );
        screen
            .show(&frame("board\n", "note", "? "))
            .expect("a sink");
        assert!(
            screen
                .redraw_text(&frame("b\n", "", "? "))
                .starts_with("\x1b[Hb\x1b[K\n")
        );
    }

    #[test]
    fn without_escapes_only_changes_are_written() {
        let mut screen = Screen::new(Box::new(io::sink()), OutputMode::Append, false);
        let first = frame("board\n", "note", "? ");
        assert_eq!(screen.append_text(&first), "board\nnote\n? \n");
        screen.show(&first).expect("a sink");
        assert_eq!(screen.append_text(&first), "");
        assert_eq!(
            screen.append_text(&frame("board\n", "why", "? ")),
            "why\n? \n"
        );
        screen.answered();
        assert_eq!(screen.append_text(&first), "note\n? \n");
    }
}
