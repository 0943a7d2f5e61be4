//! The subcommands that play, watch and replay a game in a terminal. They use a running service
//! and apply no rules themselves.

mod error;
mod join;
mod keyboard;
mod play;
mod replay;
mod screen;
mod session;
mod settings;
mod text;
mod watch;

use std::io::{self, ErrorKind, Write};

use tokio::signal::unix::{SignalKind, signal};

pub use error::TerminalError;
pub use settings::{
    GameReference, InvalidGameReference, PlaySettings, ServerSettings, ViewSettings,
};

/// Plays a game until it ends or the user quits.
pub async fn play(settings: &PlaySettings) -> Result<(), TerminalError> {
    run(play::play(settings)).await
}

/// Shows the game after each event until it ends or the user quits.
pub async fn watch(settings: &ViewSettings) -> Result<(), TerminalError> {
    run(watch::watch(settings)).await
}

/// Steps through the game by keys. Prints every step when standard input is not a terminal.
pub async fn replay(settings: &ViewSettings) -> Result<(), TerminalError> {
    run(replay::replay(settings)).await
}

/// Runs the task until it ends or the user presses Ctrl-C. Ctrl-C works even if the process
/// inherited that SIGINT is ignored, and the terminal is restored. It is no error when the reader
/// of a pipe closes it early.
async fn run(task: impl Future<Output = Result<(), TerminalError>>) -> Result<(), TerminalError> {
    // Installed before the task runs: the task may show a question before it first waits.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let outcome = tokio::select! {
        biased;
        outcome = task => outcome,
        _ = interrupt.recv() => {
            // The cursor is at the end of the question.
            writeln!(io::stdout())?;
            Err(TerminalError::Interrupted)
        }
    };
    match outcome {
        Err(TerminalError::Terminal(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
