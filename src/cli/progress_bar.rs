//! The progress bar of commands that go through the events of a store.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar as Bar, ProgressStyle};

use crate::event_store::GlobalPosition;

/// The length of the progress bar, in steps.
const STEPS: u64 = 1000;

/// Shows how far a command is. Hidden if the output is not a terminal: the lines before and after it
/// are enough there.
#[derive(Debug)]
pub(super) struct ProgressBar(Bar);

impl ProgressBar {
    pub(super) fn new() -> ProgressBar {
        if !io::stderr().is_terminal() || !io::stdout().is_terminal() {
            return ProgressBar(Bar::hidden());
        }
        let bar = Bar::new(STEPS);
        // If the template were invalid, the default style would stay.
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}") {
            bar.set_style(style);
        }
        ProgressBar(bar)
    }

    /// Shows which part of the way to the head lies behind the position.
    pub(super) fn show_position(&self, position: GlobalPosition, head: GlobalPosition) {
        let fraction = position.fraction_of(head);
        self.0.set_position((fraction * STEPS as f64) as u64);
    }

    pub(super) fn show_events(&self, events: u64, per_second: u64) {
        self.0
            .set_message(format!("{events} events, {per_second} a second"));
    }

    /// Prints a line above the bar. A line that cannot be printed does not stop the command.
    pub(super) fn print_line(&self, line: &str) {
        let printed = self.0.suspend(|| writeln!(io::stdout(), "{line}"));
        drop(printed);
    }

    pub(super) fn hide(&self) {
        self.0.finish_and_clear();
    }
}
