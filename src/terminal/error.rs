//! The errors of the terminal subcommands.

use std::io;
use std::path::PathBuf;

use crate::client::{ClientError, InvalidServer};

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// `--server` is not a valid URL.
    #[error(transparent)]
    Server(#[from] InvalidServer),
    /// The service does not answer.
    #[error("{server} does not answer: {cause}. Is the service running? --server says where")]
    Unreachable {
        /// The URL of the service.
        server: String,
        /// What the operating system reported.
        cause: String,
    },
    /// The service redirects.
    #[error("{server} redirects to {location}. Use --server {service}")]
    Redirected {
        /// The URL that was used.
        server: String,
        /// Where the request was redirected to.
        location: String,
        /// The URL to use instead.
        service: String,
    },
    /// The service refused the request, or its response is not valid.
    #[error("{server}: {error}")]
    Client {
        /// The URL of the service.
        server: String,
        /// The error of the client.
        error: ClientError,
    },
    /// `--as` names someone who is not a player of this game.
    #[error("{name} does not play this game; {} and {} do", players[0], players[1])]
    NotAPlayer {
        /// The name in `--as`.
        name: String,
        /// The two players.
        players: [String; 2],
    },
    /// The game is protected, and this terminal has no token for one of the players who move here.
    #[error(
        "the game is protected, and the token of {player} is not on this machine. The terminal that started the \
         game shows the command that contains it; PLAYER_TOKEN and --token take it"
    )]
    NoToken {
        /// The player's name.
        player: String,
    },
    /// The service refuses the player's token.
    #[error(
        "{reason}. The terminal that started the game shows the command that contains the right token"
    )]
    TokenRefused {
        /// What is wrong with it.
        reason: String,
    },
    /// The file with the tokens of a game cannot be read or written.
    #[error(
        "the tokens of the game are kept in {}, which failed: {error}. --open starts a game without tokens",
        path.display()
    )]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the operating system reported.
        error: io::Error,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Another signal asked the program to end.
    #[error("ended by a signal")]
    Ended,
    /// Reading from or writing to the terminal failed.
    #[error(transparent)]
    Terminal(#[from] io::Error),
}
