//! Why the terminal game ended before the game did.

use std::io;

use crate::client::{ClientError, InvalidServer};

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// `--server` is no URL.
    #[error(transparent)]
    Server(#[from] InvalidServer),
    /// Nobody answers there, or nobody does any more.
    #[error("{server} does not answer: {cause}. Is the service running? --server says where")]
    Unreachable {
        /// Where the service should be.
        server: String,
        /// What the system says.
        cause: String,
    },
    /// The service refused, or does not answer as one.
    #[error("{server}: {error}")]
    Client {
        /// Where the service is.
        server: String,
        /// What it said.
        error: ClientError,
    },
    /// `--as` names somebody who plays another game.
    #[error("{name} does not play this game; {} and {} do", players[0], players[1])]
    Stranger {
        /// Who wanted to play.
        name: String,
        /// Who do.
        players: [String; 2],
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The terminal is gone, or a file is full.
    #[error(transparent)]
    Terminal(#[from] io::Error),
}
