//! The flags of the subcommands that speak to a running service.

use std::str::FromStr;

use clap::Args;
use uuid::Uuid;

/// Where the service listens unless it is told otherwise.
pub(super) const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

/// Where the service is.
#[derive(Debug, Clone, Args)]
pub struct ServerSettings {
    /// The service to play at. A game that is named by its URL is looked for there instead.
    #[arg(long, env, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub server: String,
}

/// Who plays, and which game.
#[derive(Debug, Clone, Args)]
pub struct PlaySettings {
    /// Where.
    #[command(flatten)]
    pub server: ServerSettings,

    /// The name of who begins, with the yellow discs; asked for if it is left out.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["game", "as_player"])]
    pub player_one: Option<String>,

    /// The name of the other, with the red discs; asked for if it is left out.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["game", "as_player"])]
    pub player_two: Option<String>,

    /// Play as this one only; the other plays elsewhere.
    #[arg(long = "as", value_name = "NAME")]
    pub as_player: Option<String>,

    /// The other one's name, for a game that is not there yet. Whoever starts it begins.
    #[arg(long, value_name = "NAME", requires = "as_player")]
    pub against: Option<String>,

    /// The game to go on with or to join, by its id or its URL; a new one if it is left out.
    #[arg(long, value_name = "ID")]
    pub game: Option<GameReference>,
}

/// Which game to look at.
#[derive(Debug, Clone, Args)]
pub struct LookSettings {
    /// Where.
    #[command(flatten)]
    pub server: ServerSettings,

    /// The game, by its id or its URL.
    #[arg(value_name = "ID")]
    pub game: GameReference,
}

/// A game as people name it: by its id, or by its URL, which says where it is too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameReference {
    /// What came before `/games/` in the URL.
    pub server: Option<String>,
    /// The game's id.
    pub id: Uuid,
}

/// A text that names no game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a game is named by its id, a UUID like 5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12, or by its URL"
)]
pub struct NoGameReference;

impl FromStr for GameReference {
    type Err = NoGameReference;

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
            id: Uuid::try_parse(id).map_err(|_| NoGameReference)?,
        })
    }
}

impl ServerSettings {
    /// Where to look for this game.
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
            assert_eq!(text.parse::<GameReference>(), Err(NoGameReference));
        }
    }
}
