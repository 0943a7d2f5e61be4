//! All settings: for each one its flag, environment variable, default and `--help` text.

use std::net::SocketAddr;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::read_model::ReadModelLocation;
use crate::terminal::{PlaySettings, ViewSettings};

/// Connect Four as an event-sourced HTTP API.
///
/// The default subcommand is `serve`.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// The subcommand.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The settings of `serve`, when no subcommand is given.
    #[command(flatten)]
    pub serve: ServeSettings,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the HTTP API until SIGINT or SIGTERM.
    Serve(ServeSettings),
    /// Delete the read model and rebuild it from the events. No service may be using it.
    Rebuild(StoreSettings),
    /// Check a running service: exits with 0 if it answers with a 2xx status within two seconds.
    /// For containers, which have no curl.
    Health {
        /// The URL to request, for example the service's `/readyz`.
        #[arg(default_value = "http://127.0.0.1:8080/readyz")]
        url: String,
    },
    /// Play in this terminal on a running service: both players at one keyboard, or, with --as,
    /// each player in a terminal of their own.
    Play(PlaySettings),
    /// Watch a game until it ends.
    Watch(ViewSettings),
    /// Step through a game: Enter or space for the next event, `b` to go back, `q` to quit.
    Replay(ViewSettings),
}

impl Cli {
    /// The chosen subcommand, by default `serve`.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// The settings of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// The event store and the read model.
    #[command(flatten)]
    pub stores: StoreSettings,

    /// The address and port to listen on; port 0 chooses a free port.
    #[arg(
        long,
        env,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// Require an `If-Match` header with the expected revision on every move, which makes it safe
    /// to send again. A move without it is answered with 428.
    #[arg(long, env, value_parser = BoolishValueParser::new())]
    pub require_if_match: bool,

    /// The format of log lines: `text` for people, `json` for programs.
    #[arg(
        long,
        env,
        value_name = "FORMAT",
        value_enum,
        default_value_t = LogFormat::Text
    )]
    pub log_format: LogFormat,

    /// Which log lines are written, as `tracing` directives. For example, `warn` omits the line
    /// for each request.
    #[arg(
        long,
        env = "RUST_LOG",
        value_name = "FILTER",
        default_value = "info,kurrentdb=off"
    )]
    pub log: String,
}

/// The event store and the read model.
#[derive(Debug, Clone, Args)]
pub struct StoreSettings {
    /// Where events are stored: `sqlite://PATH`, a KurrentDB connection string such as
    /// `kurrentdb://HOST:PORT?tls=false`, or `memory:` until the process ends.
    #[arg(
        long,
        env,
        value_name = "URL",
        default_value = "sqlite://connect-four.db"
    )]
    pub event_store: String,

    /// Where the read model is stored: a file or `memory:`. The read model is built from the
    /// events and answers the lists. The default is a file next to a SQLite event store, and
    /// memory for the others.
    #[arg(long, env, value_name = "PATH")]
    pub read_model: Option<ReadModelLocation>,
}

impl StoreSettings {
    /// The location of the read model, given or by default.
    pub fn read_model(&self) -> ReadModelLocation {
        let beside = || ReadModelLocation::of_event_store(&self.event_store);
        self.read_model.clone().unwrap_or_else(beside)
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line, for programs.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serving_is_the_default() {
        for args in [&["connect-four"][..], &["connect-four", "serve"]] {
            let cli = Cli::try_parse_from(args).expect("the defaults suffice");
            let Command::Serve(settings) = cli.into_command() else {
                panic!("{args:?} serves");
            };
            assert_eq!(settings.stores.event_store, "sqlite://connect-four.db");
            assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
            assert!(!settings.require_if_match);
        }
    }

    #[test]
    fn the_read_model_is_at_the_given_location_or_next_to_the_events() {
        for (args, expected) in [
            (&["serve"][..], "connect-four.read-model.db"),
            (
                &["rebuild", "--event-store", "sqlite://a/b.db"],
                "a/b.read-model.db",
            ),
            (&["rebuild", "--read-model", "c.db"], "c.db"),
            (&["serve", "--event-store", "memory:"], "memory:"),
        ] {
            let cli = Cli::try_parse_from([&["connect-four"], args].concat());
            let location = match cli.expect("known flags").into_command() {
                Command::Serve(settings) => settings.stores.read_model(),
                Command::Rebuild(settings) => settings.read_model(),
                Command::Health { .. }
                | Command::Play(_)
                | Command::Watch(_)
                | Command::Replay(_) => panic!("{args:?} is about a store"),
            };
            assert_eq!(Ok(location), expected.parse());
        }
    }

    #[test]
    fn flags_are_the_same_with_and_without_the_subcommand() {
        for args in [
            &["connect-four", "--event-store", "memory:"][..],
            &["connect-four", "serve", "--event-store", "memory:"],
        ] {
            let cli = Cli::try_parse_from(args).expect("a known flag");
            let Command::Serve(settings) = cli.into_command() else {
                panic!("{args:?} serves");
            };
            assert_eq!(settings.stores.event_store, "memory:");
        }
    }

    #[test]
    fn play_asks_for_everything_that_is_not_given() {
        let cli = Cli::try_parse_from(["connect-four", "play"]).expect("the defaults suffice");
        let Command::Play(settings) = cli.into_command() else {
            panic!("play plays");
        };
        assert_eq!(settings.server.server, "http://127.0.0.1:8080");
        assert_eq!(settings.player_one, None);
        assert_eq!(settings.as_player, None);
        assert_eq!(settings.game, None);
    }

    #[test]
    fn contradictory_flags_of_the_terminal_game_are_refused() {
        const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12";
        for args in [
            &["play", "--against", "bob"][..],
            &["play", "--as", "alice", "--player-one", "alice"],
            &["play", "--game", ID, "--player-two", "bob"],
            &["play", "--game", "no id"],
            &["watch"],
            &["replay", "7"],
        ] {
            let args = ["connect-four"].iter().chain(args);
            assert!(Cli::try_parse_from(args.clone()).is_err(), "{args:?}");
        }
        for args in [
            &["play", "--as", "alice", "--game", ID, "--against", "bob"][..],
            &["watch", ID],
            &[
                "replay",
                "localhost:8080/games/5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12",
            ],
        ] {
            let args = ["connect-four"].iter().chain(args);
            assert!(Cli::try_parse_from(args.clone()).is_ok(), "{args:?}");
        }
    }
}
