//! The settings of `serve`, `rebuild` and `health`: for each one its flag, environment variable, default and
//! `--help` text.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::listen::ListenAddress;
use crate::application::GameId;
use crate::computer::{ComputerPlayer, Level};
use crate::domain::{InvalidPlayerName, PlayerName};
use crate::event_store;
use crate::read_model::ReadModelLocation;
use crate::telemetry::LogFormat;

/// The settings of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// The event store and the read model.
    #[command(flatten)]
    pub stores: StoreSettings,

    /// The address or host name, and the port, to listen on; port 0 chooses a free port.
    #[arg(
        long,
        env,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: ListenAddress,

    /// Require an `If-Match` header with the expected revision on every move, which makes it safe
    /// to send again. A move without it is answered with 428.
    #[arg(long, env, value_parser = BoolishValueParser::new())]
    pub require_if_match: bool,

    /// The name under which the computer plays: whoever starts a game with it gets moves from the
    /// computer. With an empty name, `--computer ''`, the computer does not play.
    #[arg(long, env, value_name = "NAME", default_value = "computer")]
    pub computer: ComputerName,

    /// How strong the computer plays: easy, normal or hard.
    #[arg(long, env, value_name = "LEVEL", default_value_t = Level::Normal)]
    pub computer_level: Level,

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

impl ServeSettings {
    /// The computer as a player; `None` if it does not play.
    pub fn computer(&self) -> Option<ComputerPlayer> {
        let name = self.computer.0.clone()?;
        let level = self.computer_level;
        Some(ComputerPlayer { name, level })
    }
}

/// The name of the computer on the command line; an empty one means that it does not play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputerName(Option<PlayerName>);

impl FromStr for ComputerName {
    type Err = InvalidPlayerName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "" => Ok(ComputerName(None)),
            name => PlayerName::parse(name).map(|name| ComputerName(Some(name))),
        }
    }
}

/// The event store and the read model.
#[derive(Debug, Clone, Args)]
pub struct StoreSettings {
    /// Where events are stored: `sqlite://PATH` without parameters, a KurrentDB connection string
    /// such as `kurrentdb://HOST:PORT?tls=false`, or `memory:` until the process ends.
    // The connection string may contain a password, which `--help` must not print.
    #[arg(
        long,
        env,
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite://connect-four.db"
    )]
    pub event_store: String,

    /// Where the read model is stored: a file or `memory:`. The read model is built from the
    /// events and answers the lists. The version of its tables is inserted into the name of the file.
    /// The default is a file next to a SQLite event store; with KurrentDB a file in the state
    /// directory, or memory without one.
    #[arg(long, env, value_name = "PATH")]
    pub read_model: Option<ReadModelLocation>,

    /// A directory in which this replica keeps files between its starts. systemd sets the variable to
    /// the directory of `StateDirectory=`. Used with KurrentDB, unless --read-model is given.
    #[arg(long, env, value_name = "DIRECTORY")]
    pub state_directory: Option<PathBuf>,
}

/// The settings of `forget-game`.
#[derive(Debug, Clone, Args)]
pub struct ForgetGameSettings {
    /// The id of the game.
    #[arg(value_name = "ID")]
    pub game: GameId,

    /// Where the game is stored. A SQLite file must not be in use by a service.
    #[arg(
        long,
        env,
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite://connect-four.db"
    )]
    pub event_store: String,
}

/// The settings of `health`.
#[derive(Debug, Clone, Args)]
pub struct HealthSettings {
    /// The URL to request. `http://` is optional. A path, such as `/livez`, is requested from the
    /// service on this machine that listens on the address in --listen.
    #[arg(value_name = "URL", default_value = "/readyz")]
    pub url: String,

    /// The address and port that the service listens on.
    #[arg(
        long,
        env,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: ListenAddress,
}

impl StoreSettings {
    /// The location of the read model, given or by default.
    pub fn read_model(&self) -> ReadModelLocation {
        let location = match (&self.read_model, self.state_directory()) {
            (Some(given), _) => given.clone(),
            (None, Some(directory)) => ReadModelLocation::in_state_directory(&directory),
            (None, None) => ReadModelLocation::of_event_store(&self.event_store),
        };
        location.with_version()
    }

    /// The directory in which the read model is by default; `None` if it is elsewhere.
    pub fn state_directory(&self) -> Option<PathBuf> {
        let is_used = self.read_model.is_none() && event_store::is_shared(&self.event_store);
        // systemd separates several directories with colons.
        let directories = self.state_directory.as_ref().filter(|_| is_used)?;
        env::split_paths(directories).next()
    }
}
