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
mod single_keys;
mod text;
mod token_file;
mod tokens;
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

/// Runs the task until it ends, the user presses Ctrl-C, or another signal ends the program. Ctrl-C
/// works even if the process inherited that SIGINT is ignored. In each case the terminal is left as it
/// was, because the task is dropped. It is no error when the reader of a pipe closes it early.
async fn run(task: impl Future<Output = Result<(), TerminalError>>) -> Result<(), TerminalError> {
    // Installed before the task runs: the task may show a question before it first waits.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut quit = signal(SignalKind::quit())?;
    let outcome = tokio::select! {
        // The signals first: the task may stop the process.
        biased;
        _ = interrupt.recv() => Err(TerminalError::Interrupted),
        _ = terminate.recv() => Err(TerminalError::Ended),
        _ = hang_up.recv() => Err(TerminalError::Ended),
        _ = quit.recv() => Err(TerminalError::Ended),
        outcome = task => outcome,
    };
    if let Err(TerminalError::Interrupted | TerminalError::Ended) = outcome {
        // The cursor is at the end of the question.
        writeln!(io::stdout())?;
    }
    match outcome {
        Err(TerminalError::Terminal(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
