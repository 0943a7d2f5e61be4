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

use std::io::ErrorKind;

pub use error::TerminalError;
pub use settings::{GameReference, LookSettings, NoGameReference, PlaySettings, ServerSettings};

/// Plays a game to its end, or until somebody leaves.
pub async fn play(settings: &PlaySettings) -> Result<(), TerminalError> {
    unless_nobody_reads(play::play(settings).await)
}

/// Shows the game, and every event that follows, to its end.
pub async fn watch(settings: &LookSettings) -> Result<(), TerminalError> {
    unless_nobody_reads(watch::watch(settings).await)
}

/// Steps through the game by keys, or prints every step when nobody can press any.
pub async fn replay(settings: &LookSettings) -> Result<(), TerminalError> {
    unless_nobody_reads(replay::replay(settings).await)
}

/// Whoever reads the boards from a pipe may have enough of them, which is no failure.
fn unless_nobody_reads(outcome: Result<(), TerminalError>) -> Result<(), TerminalError> {
    match outcome {
        Err(TerminalError::Terminal(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
