//! Where a read model is kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::sqlite_file::mistaken_path;

/// The end of the default file name. Other programs do not give it to their files.
pub(super) const SUFFIX: &str = ".read-model.db";

/// Where a read model is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadModelLocation {
    /// Lost when the process ends, and rebuilt at each start.
    Memory,
    /// A SQLite file.
    File(PathBuf),
}

impl ReadModelLocation {
    /// The default location: a file in the same directory as a SQLite event store, memory for any
    /// other store.
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
