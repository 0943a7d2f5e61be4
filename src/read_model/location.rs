//! Where a read model is kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::schema;
use crate::sqlite_file::mistaken_path;

/// The end of the default file name, before the version is inserted.
const SUFFIX: &str = ".read-model.db";

/// A part of every default file name. Other programs do not give it to their files.
pub(super) const MARK: &str = ".read-model.";

/// Where a read model is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadModelLocation {
    /// Lost when the process ends, and rebuilt at each start.
    Memory,
    /// A SQLite file.
    File(PathBuf),
}

impl ReadModelLocation {
    /// A file in the same directory as a SQLite event store, memory for any other store.
    pub fn of_event_store(url: &str) -> ReadModelLocation {
        let path = url.strip_prefix("sqlite://").map(Path::new);
        match path.and_then(|path| Some((path, path.file_stem()?))) {
            Some((path, stem)) => {
                let mut name = stem.to_owned();
                name.push(SUFFIX);
                ReadModelLocation::File(path.with_file_name(name))
            }
            None => ReadModelLocation::Memory,
        }
    }

    /// A file in the directory where the service manager lets this replica keep its state.
    pub fn in_state_directory(directory: &Path) -> ReadModelLocation {
        ReadModelLocation::File(directory.join(format!("connect-four{SUFFIX}")))
    }

    /// The location with the version of the tables in the name of the file: `games.db` becomes
    /// `games.v3.db`. So programs with other tables use other files. Each builds its own, while the
    /// other goes on answering.
    #[must_use]
    pub fn with_version(self) -> ReadModelLocation {
        let ReadModelLocation::File(path) = &self else {
            return self;
        };
        // A directory keeps its name, so that opening it fails.
        if path.is_dir() {
            return self;
        }
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".v{}", schema::VERSION));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        ReadModelLocation::File(path.with_file_name(name))
    }
}

/// The text is not the location of a read model. Says what to use instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this does not name a file: {0}")]
pub struct InvalidReadModelLocation(&'static str);

impl FromStr for ReadModelLocation {
    type Err = InvalidReadModelLocation;

    /// `memory:`, or a path. A URL such as `sqlite://PATH` is refused.
    fn from_str(text: &str) -> Result<ReadModelLocation, InvalidReadModelLocation> {
        if text == "memory:" {
            return Ok(ReadModelLocation::Memory);
        }
        if text.starts_with("sqlite:") {
            return Err(InvalidReadModelLocation("use the path without sqlite://"));
        }
        match mistaken_path(text) {
            Some(reason) => Err(InvalidReadModelLocation(reason)),
            None => Ok(ReadModelLocation::File(text.into())),
        }
    }
}

impl fmt::Display for ReadModelLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadModelLocation::Memory => f.write_str("memory"),
            ReadModelLocation::File(path) => write!(f, "SQLite file {}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_file_next_to_a_sqlite_event_store_and_memory_for_any_other() {
        for (url, path) in [
            ("sqlite://connect-four.db", "connect-four.read-model.db"),
            ("sqlite:///data/games.v2.db", "/data/games.v2.read-model.db"),
            ("sqlite://a/games", "a/games.read-model.db"),
        ] {
            let location = ReadModelLocation::of_event_store(url);
            assert_eq!(location, ReadModelLocation::File(path.into()));
        }
        for url in [
            "memory:",
            "kurrentdb://localhost:2113?tls=false",
            "sqlite://",
        ] {
            let location = ReadModelLocation::of_event_store(url);
            assert_eq!(location, ReadModelLocation::Memory);
        }
    }

    #[test]
    fn the_version_is_inserted_before_the_extension() {
        let version = schema::VERSION;
        let file = |path: &str| ReadModelLocation::File(path.into());
        for (path, expected) in [
            (
                "a.b/games.read-model.db",
                format!("a.b/games.read-model.v{version}.db"),
            ),
            ("a.b/games", format!("a.b/games.v{version}")),
            ("/", "/".to_owned()),
        ] {
            assert_eq!(file(path).with_version(), file(&expected));
        }
        let memory = ReadModelLocation::Memory;
        assert_eq!(memory.clone().with_version(), memory);
    }

    #[test]
    fn a_location_is_parsed_from_a_path_or_from_memory_with_a_colon() {
        assert_eq!("memory:".parse(), Ok(ReadModelLocation::Memory));
        let file = ReadModelLocation::File("games.db".into());
        assert_eq!("games.db".parse(), Ok(file));
        for text in [
            ":memory:",
            "sqlite://games.db",
            "games.db?mode=rwc",
            "file:games.db",
        ] {
            let parsed = text.parse::<ReadModelLocation>();
            assert!(parsed.is_err(), "{text}: {parsed:?}");
        }
    }
}
