//! The game in a terminal: to play it, to watch it and to step through it, against a running
//! service. All that it knows of the game, the service told it.

mod error;
mod keyboard;
mod opening;
mod play;
mod replay;
mod scene;
mod screen;
mod session;
mod settings;
mod watch;

use std::io::{self, ErrorKind, Write};

use tokio::signal::unix::{SignalKind, signal};

pub use error::TerminalError;
pub use settings::{GameReference, LookSettings, NoGameReference, PlaySettings, ServerSettings};

/// Plays a game to its end, or until somebody leaves.
pub async fn play(settings: &PlaySettings) -> Result<(), TerminalError> {
    to_the_end(play::play(settings)).await
}

/// Shows the game, and every event that follows, to its end.
pub async fn watch(settings: &LookSettings) -> Result<(), TerminalError> {
    to_the_end(watch::watch(settings)).await
}

/// Steps through the game by keys, or prints every step when nobody can press any.
pub async fn replay(settings: &LookSettings) -> Result<(), TerminalError> {
    to_the_end(replay::replay(settings)).await
}

/// Sees to how it ends. Whoever reads the boards from a pipe may have enough of them, which is
/// no failure. Ctrl-C ends it at any time, also in a job that inherited not to listen to it, and
/// gives the terminal back as it was.
async fn to_the_end(
    task: impl Future<Output = Result<(), TerminalError>>,
) -> Result<(), TerminalError> {
    // Heard from here on, and not from the first time that the task waits: somebody may be asked
    // something before.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let outcome = tokio::select! {
        biased;
        outcome = task => outcome,
        _ = interrupt.recv() => {
            // The cursor is behind what was asked.
            writeln!(io::stdout())?;
            Err(TerminalError::Interrupted)
        }
    };
    match outcome {
        Err(TerminalError::Terminal(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
