//! The command line: the subcommands and what each of them does.

pub mod copy;
mod file_size;
pub mod forget_game;
pub mod health;
mod listen;
mod progress_bar;
pub mod rebuild;
pub mod serve;
mod settings;

use std::env;

use clap::builder::{OsStr, Resettable};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use self::copy::CopySettings;
pub use self::listen::{InvalidListenAddress, ListenAddress};
pub use self::settings::{ForgetGameSettings, HealthSettings, ServeSettings, StoreSettings};
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
    /// Build the read model again from the events, also while a service is using it: lists are
    /// answered from the old file until the new one has caught up.
    Rebuild(StoreSettings),
    /// Delete a game for ever, with the names of its players. Nobody can start a game with its id
    /// again.
    ForgetGame(ForgetGameSettings),
    /// Copy every event of every game from one store to another, also while a service writes to it.
    /// Can be stopped, killed and run again, and stores nothing twice.
    ///
    /// Exit codes: 0 everything was copied, or is equal; 1 an error; 2 wrong arguments; 3 a game
    /// differs in the target; 4 not finished because of a signal or because a store did not answer
    /// for 30 s: run the same command again.
    Copy(CopySettings),
    /// Check a running service: exits with 0 if it answers with a 2xx status within two seconds.
    /// For containers, which have no curl.
    Health(HealthSettings),
    /// Play in this terminal on a running service: both players at one keyboard, or, with --as,
    /// each player in a terminal of their own.
    Play(PlaySettings),
    /// Watch a game until it ends.
    Watch(ViewSettings),
    /// Step through a game: Enter or space for the next event, `b` to go back, `q` to quit.
    Replay(ViewSettings),
}

impl Cli {
    /// Parses the arguments and the environment variables of this process. Prints help and errors,
    /// and ends the process after them.
    pub fn from_arguments() -> Cli {
        let matches = ignoring_empty_variables(Cli::command()).get_matches();
        Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// The chosen subcommand, by default `serve`.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// An empty environment variable means the same as one that is not set: compose files and shells set
/// variables to nothing to leave them out.
fn ignoring_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let variable = arg.get_env().and_then(env::var_os);
        match variable.is_some_and(|value| value.is_empty()) {
            true => arg.env(Resettable::<OsStr>::Reset),
            false => arg,
        }
    });
    command.mut_subcommands(ignoring_empty_variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::computer::Level;

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
            (&["serve"][..], "connect-four.read-model.v3.db"),
            (
                &["rebuild", "--event-store", "sqlite://a/b.db"],
                "a/b.read-model.v3.db",
            ),
            (&["rebuild", "--read-model", "c.db"], "c.v3.db"),
            (&["serve", "--event-store", "memory:"], "memory:"),
            (&["serve", "--event-store", "esdb://a"], "memory:"),
            (
                &[
                    "serve",
                    "--event-store",
                    "esdb://a",
                    "--state-directory",
                    "/b:/c",
                ],
                "/b/connect-four.read-model.v3.db",
            ),
            (
                &[
                    "serve",
                    "--event-store",
                    "esdb://a",
                    "--state-directory",
                    "/b",
                    "--read-model",
                    "memory:",
                ],
                "memory:",
            ),
            (
                &["serve", "--state-directory", "/b"],
                "connect-four.read-model.v3.db",
            ),
        ] {
            let cli = Cli::try_parse_from([&["connect-four"], args].concat());
            let location = match cli.expect("known flags").into_command() {
                Command::Serve(settings) => settings.stores.read_model(),
                Command::Rebuild(settings) => settings.read_model(),
                Command::Copy(_)
                | Command::ForgetGame(_)
                | Command::Health(_)
                | Command::Play(_)
                | Command::Watch(_)
                | Command::Replay(_) => {
                    panic!("{args:?} is about a store")
                }
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
    fn the_computer_plays_by_default_under_another_name_or_not_at_all() {
        let computer = |args: &[&str]| {
            let args = [&["connect-four", "serve"], args].concat();
            Cli::try_parse_from(&args).map(|cli| {
                let Command::Serve(settings) = cli.into_command() else {
                    panic!("{args:?} serves");
                };
                let computer = settings.computer();
                computer.map(|computer| (computer.name.to_string(), computer.level))
            })
        };
        let plays = |name: &str, level| Some((name.to_owned(), level));
        for (args, expected) in [
            (&[][..], plays("computer", Level::Normal)),
            (&["--computer", "hal"], plays("hal", Level::Normal)),
            // Normal form C.
            (
                &["--computer", "Zoe\u{301}"],
                plays("Zo\u{e9}", Level::Normal),
            ),
            (
                &["--computer-level", "hard"],
                plays("computer", Level::Hard),
            ),
            (&["--computer", ""], None),
            (&["--computer="], None),
        ] {
            assert_eq!(computer(args).expect("known flags"), expected, "{args:?}");
        }
        for args in [&["--computer", " "], &["--computer-level", "impossible"]] {
            assert!(computer(args).is_err(), "{args:?}");
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
            &["play", "--against", "bob", "--player-one", "alice"][..],
            &["play", "--as", "alice", "--player-one", "alice"],
            &["play", "--game", ID, "--player-two", "bob"],
            &["play", "--game", "no id"],
            &["play", "--open"],
            &["play", "--open", "--player-one", "alice"],
            &["watch"],
            &["replay", "7"],
        ] {
            let args = ["connect-four"].iter().chain(args);
            assert!(Cli::try_parse_from(args.clone()).is_err(), "{args:?}");
        }
        for args in [
            &["play", "--as", "alice", "--game", ID, "--against", "bob"][..],
            &["play", "--against", "computer"],
            &["play", "--against", "computer", "--open"],
            &["play", "--as", "alice", "--open"],
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
