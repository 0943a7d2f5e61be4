//! What is shown: a board that stays where it is, on a terminal; else one board after another,
//! and no escapes.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use crate::drawing::Palette;

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Every frame over the one before, in colours.
    InPlace,
    /// What is new below what was there, without escapes.
    OneAfterAnother,
}

impl Style {
    /// What suits the standard output. `NO_COLOR` (no-color.org) asks for no colours; whoever
    /// sets it keeps a record of the game too.
    fn of_stdout() -> Style {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        match io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb {
            true => Style::InPlace,
            false => Style::OneAfterAnother,
        }
    }

    /// The palette that boards are drawn with.
    pub(super) fn palette(self) -> Palette {
        match self {
            Style::InPlace => Palette::Ansi,
            Style::OneAfterAnother => Palette::Plain,
        }
    }
}

/// All that there is to see at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// The board and what belongs to it, in lines; empty before there is one.
    pub(super) picture: String,
    /// Lines below it.
    pub(super) notes: Vec<String>,
    /// What is asked; the cursor stays behind it.
    pub(super) question: Option<String>,
}

/// Where it is shown.
pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    style: Style,
    /// Whether the end of a line is typed, and seen, after each question.
    echoes: bool,
    shown: Frame,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("style", &self.style)
            .finish_non_exhaustive()
    }
}

impl Screen {
    pub(super) fn of_stdout() -> Screen {
        Screen::new(
            Box::new(io::stdout()),
            Style::of_stdout(),
            io::stdin().is_terminal(),
        )
    }

    fn new(out: Box<dyn Write + Send>, style: Style, echoes: bool) -> Screen {
        Screen {
            out,
            style,
            echoes,
            shown: Frame::default(),
        }
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// An answer was typed: what was said and asked is over, and is news if it is shown again.
    pub(super) fn answered(&mut self) {
        self.shown.question = None;
        self.shown.notes.clear();
    }

    /// Shows this instead of what was shown.
    pub(super) fn show(&mut self, frame: &Frame) -> io::Result<()> {
        let text = match (self.style, frame.picture.is_empty()) {
            (Style::InPlace, false) => self.over(frame),
            (Style::InPlace | Style::OneAfterAnother, _) => self.below(frame),
        };
        self.shown = frame.clone();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// From the upper left corner on. Each line is cleared behind its end and not before, so
    /// that nothing flickers.
    fn over(&self, frame: &Frame) -> String {
        let mut text = match self.shown.picture.is_empty() {
            true => "\x1b[2J\x1b[H".to_owned(),
            false => "\x1b[H".to_owned(),
        };
        for line in frame.picture.lines().chain([""]).chain(lines(&frame.notes)) {
            let _ = writeln!(text, "{line}\x1b[K");
        }
        text + frame.question.as_deref().unwrap_or("") + "\x1b[J"
    }

    /// What was not there before.
    fn below(&self, frame: &Frame) -> String {
        let mut text = String::new();
        let is_new_question = frame.question != self.shown.question;
        let is_new_picture = frame.picture != self.shown.picture;
        let new_notes: Vec<_> = lines(&frame.notes)
            .filter(|note| is_new_picture || !lines(&self.shown.notes).any(|old| old == *note))
            .collect();
        if !is_new_question && !is_new_picture && new_notes.is_empty() {
            return text;
        }
        if self.shown.question.is_some() && self.echoes {
            text.push('\n');
        }
        if is_new_picture {
            let _ = write!(text, "{}", frame.picture);
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

    fn frame(picture: &str, note: &str, question: &str) -> Frame {
        Frame {
            picture: picture.to_owned(),
            notes: vec![note.to_owned()],
            question: Some(question.to_owned()),
        }
    }

    #[test]
    fn a_frame_covers_the_one_before() {
        let mut screen = Screen::new(Box::new(io::sink()), Style::InPlace, true);
        let first = screen.over(&frame("board\n", "note", "? "));
        assert_eq!(
            first,
            "\x1b[2J\x1b[Hboard\x1b[K\n\x1b[K\nnote\x1b[K\n? \x1b[J"
        );
        screen
            .show(&frame("board\n", "note", "? "))
            .expect("a sink");
        assert!(
            screen
                .over(&frame("b\n", "", "? "))
                .starts_with("\x1b[Hb\x1b[K\n")
        );
    }

    #[test]
    fn without_escapes_only_news_are_told() {
        let mut screen = Screen::new(Box::new(io::sink()), Style::OneAfterAnother, false);
        let first = frame("board\n", "note", "? ");
        assert_eq!(screen.below(&first), "board\nnote\n? \n");
        screen.show(&first).expect("a sink");
        assert_eq!(screen.below(&first), "");
        assert_eq!(screen.below(&frame("board\n", "why", "? ")), "why\n? \n");
        screen.answered();
        assert_eq!(screen.below(&first), "note\n? \n");
    }
}
