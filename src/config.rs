//! Every setting, once: its flag, its variable, its default and its `--help` text.

use std::net::SocketAddr;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::read_model::ReadModelLocation;
use crate::terminal::{LookSettings, PlaySettings};

/// Connect Four over HTTP, every move an event.
///
/// Without a subcommand it serves.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve, when no subcommand is given.
    #[command(flatten)]
    pub serve: ServeSettings,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the HTTP API until SIGINT or SIGTERM.
    Serve(ServeSettings),
    /// Delete the read model and build it again from the events, while no service uses it.
    Rebuild(StoreSettings),
    /// Ask a running service whether it is well: exits with 0 if it answers with a 2xx within
    /// two seconds. For containers, which have no curl.
    Health {
        /// What to ask, for instance its `/readyz`.
        #[arg(default_value = "http://127.0.0.1:8080/readyz")]
        url: String,
    },
    /// Play in this terminal, at a running service: two at one keyboard, or, with --as, one at
    /// each of two.
    Play(PlaySettings),
    /// Watch a game as it is played, to its end.
    Watch(LookSettings),
    /// Step through a game: Enter or space for the next event, `b` back, `q` to quit.
    Replay(LookSettings),
}

impl Cli {
    /// The chosen command; serving is the default.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// Where the events and what is known from them are.
    #[command(flatten)]
    pub stores: StoreSettings,

    /// The address and port to listen on; port 0 takes a free one.
    #[arg(
        long,
        env,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// Whether moves have to say in `If-Match` which revision they are for, which makes each of
    /// them safe to send again; one that does not is answered 428.
    #[arg(long, env, value_parser = BoolishValueParser::new())]
    pub require_if_match: bool,

    /// How log lines look: `text` for people, `json` for programs.
    #[arg(
        long,
        env,
        value_name = "FORMAT",
        value_enum,
        default_value_t = LogFormat::Text
    )]
    pub log_format: LogFormat,

    /// Which log lines are written, as `tracing` directives: `warn`, say, leaves out the
    /// line for each request.
    #[arg(
        long,
        env = "RUST_LOG",
        value_name = "FILTER",
        default_value = "info,kurrentdb=off"
    )]
    pub log: String,
}

/// Where the events are, and what is known from them.
#[derive(Debug, Clone, Args)]
pub struct StoreSettings {
    /// Where events are kept: `sqlite://PATH`, `kurrentdb://HOST:PORT?tls=false` and the like,
    /// or `memory:` until the process ends.
    #[arg(
        long,
        env,
        value_name = "URL",
        default_value = "sqlite://connect-four.db"
    )]
    pub event_store: String,

    /// Where what is known about many games is kept, which is built from the events: a file,
    /// or `memory:`. Without it, a file beside an event store that is a file, else memory.
    #[arg(long, env, value_name = "PATH")]
    pub read_model: Option<ReadModelLocation>,
}

impl StoreSettings {
    /// Where the read model is.
    pub fn read_model(&self) -> ReadModelLocation {
        let beside = || ReadModelLocation::of_event_store(&self.event_store);
        self.read_model.clone().unwrap_or_else(beside)
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
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
    fn the_read_model_is_where_it_is_said_to_be_or_beside_the_events() {
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
    fn flags_of_the_terminal_game_that_make_no_sense_together_are_refused() {
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
