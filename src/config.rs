//! Every setting, once: its flag, its variable, its default and its `--help` text.

use std::net::SocketAddr;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Where events are kept: `sqlite://PATH`, `kurrentdb://HOST:PORT?tls=false` and the like,
    /// or `memory:` until the process ends.
    #[arg(
        long,
        env,
        value_name = "URL",
        default_value = "sqlite://connect-four.db"
    )]
    pub event_store: String,

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
            assert_eq!(settings.event_store, "sqlite://connect-four.db");
            assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
            assert!(!settings.require_if_match);
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
            assert_eq!(settings.event_store, "memory:");
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
