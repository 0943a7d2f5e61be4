//! The command-line options of the subcommands that use a running service.

use std::str::FromStr;

use clap::{ArgGroup, Args};
use uuid::Uuid;

use crate::client::PlayerToken;

/// The default address of the service.
pub(super) const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

/// The service to use.
#[derive(Debug, Clone, Args)]
pub struct ServerSettings {
    /// The URL of the service. If the game is given as a URL, that URL is used instead.
    #[arg(long, env, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub server: String,
}

/// The players and the game.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("one_player_here").args(["as_player", "against"]).multiple(true))]
pub struct PlaySettings {
    /// The service.
    #[command(flatten)]
    pub server: ServerSettings,

    /// The name of the player with the yellow discs, who moves first; asked for if omitted.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["game", "as_player"])]
    pub player_one: Option<String>,

    /// The name of the player with the red discs; asked for if omitted.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["game", "as_player"])]
    pub player_two: Option<String>,

    /// Play only as this player; the opponent plays in another terminal.
    #[arg(long = "as", value_name = "NAME")]
    pub as_player: Option<String>,

    /// The opponent's name, to start the game if it does not exist; `computer` plays by itself. The
    /// player who starts the game moves first.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["player_one", "player_two"])]
    pub against: Option<String>,

    /// The id or URL of the game to continue or join; a new game if omitted.
    #[arg(long, value_name = "ID")]
    pub game: Option<GameReference>,

    /// Start a game that is not protected: everyone can move for both players. By default, a game
    /// that is started with --as or --against is protected. Its tokens are kept in the state directory.
    #[arg(long, requires = "one_player_here")]
    pub open: bool,

    /// The token of the player in a protected game that was started elsewhere. Use the variable, because
    /// other users of this machine can see the arguments of programs.
    #[arg(
        long,
        env = "PLAYER_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub token: Option<PlayerToken>,
}

/// The game to watch or replay.
#[derive(Debug, Clone, Args)]
pub struct ViewSettings {
    /// The service.
    #[command(flatten)]
    pub server: ServerSettings,

    /// The id or URL of the game.
    #[arg(value_name = "ID")]
    pub game: GameReference,
}

/// A game on the command line: its id, or its URL, which also names the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameReference {
    /// The part of the URL before `/games/`.
    pub server: Option<String>,
    /// The game's id.
    pub id: Uuid,
}

/// A string that is not a game's id or URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a game is named by its id, a UUID like 5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12, or by its URL"
)]
pub struct InvalidGameReference;

impl FromStr for GameReference {
    type Err = InvalidGameReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (server, rest) = match text.rsplit_once("/games/") {
            Some((server, rest)) => (Some(server), rest),
            None => (None, text),
        };
        let id = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        Ok(GameReference {
            server: server
                .filter(|server| !server.is_empty())
                .map(str::to_owned),
            id: Uuid::try_parse(id).map_err(|_| InvalidGameReference)?,
        })
    }
}

impl ServerSettings {
    /// The URL of the service that has this game.
    pub(super) fn of<'a>(&'a self, game: Option<&'a GameReference>) -> &'a str {
        game.and_then(|game| game.server.as_deref())
            .unwrap_or(&self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12";

    #[test]
    fn a_game_is_named_by_its_id_or_its_url() {
        for (text, server) in [
            (ID.to_owned(), None),
            (format!("/games/{ID}"), None),
            (format!("localhost:8080/games/{ID}"), Some("localhost:8080")),
            (
                format!("https://example.org/four/games/{ID}?revision=3"),
                Some("https://example.org/four"),
            ),
            (
                format!("http://127.0.0.1:1/games/{ID}/events"),
                Some("http://127.0.0.1:1"),
            ),
        ] {
            let game: GameReference = text.parse().expect("a game");
            assert_eq!(game.id.to_string(), ID);
            assert_eq!(game.server.as_deref(), server, "{text}");
        }
        for text in ["", "alice", "http://localhost:8080/games/"] {
            assert_eq!(text.parse::<GameReference>(), Err(InvalidGameReference));
        }
    }
}
