//! The files in which the tokens of protected games are kept: one file per game, in the state directory of
//! the user, readable by the user alone.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::TerminalError;
use crate::client::{PlayerToken, PlayerTokens};

/// The tokens of a game that are known here.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownTokens {
    pub(super) player_one: Option<PlayerToken>,
    pub(super) player_two: Option<PlayerToken>,
}

impl From<&PlayerTokens> for KnownTokens {
    fn from(tokens: &PlayerTokens) -> KnownTokens {
        KnownTokens {
            player_one: Some(tokens.player_one.clone()),
            player_two: Some(tokens.player_two.clone()),
        }
    }
}

impl KnownTokens {
    /// The tokens, if both are known.
    pub(super) fn both(self) -> Option<PlayerTokens> {
        Some(PlayerTokens {
            player_one: self.player_one?,
            player_two: self.player_two?,
        })
    }
}

/// The file of one game. It contains the tokens for each service that has a game with this id, so that no
/// service gets the tokens of another.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    server: String,
}

type Content = BTreeMap<String, KnownTokens>;

impl TokenFile {
    /// The file of this game of the service with this URL. It may not exist yet.
    pub(super) fn of(server: &str, game: Uuid) -> Result<TokenFile, TerminalError> {
        let directory = state_directory(env::var_os("XDG_STATE_HOME"), env::home_dir());
        let directory = directory.ok_or_else(|| TerminalError::TokenFile {
            path: PathBuf::from("~/.local/state"),
            error: io::Error::new(ErrorKind::NotFound, "there is no home directory"),
        })?;
        Ok(TokenFile::at(
            directory.join(format!("{game}.json")),
            server,
        ))
    }

    fn at(path: PathBuf, server: &str) -> TokenFile {
        TokenFile {
            path,
            server: server.to_owned(),
        }
    }

    /// The tokens in the file; none if it does not exist.
    pub(super) fn read(&self) -> Result<KnownTokens, TerminalError> {
        let mut content = self.content().map_err(|error| self.error(error))?;
        Ok(content.remove(&self.server).unwrap_or_default())
    }

    /// Writes the tokens to the file. They are on the disk when this returns.
    pub(super) fn write(&self, tokens: KnownTokens) -> Result<(), TerminalError> {
        self.change(|content| drop(content.insert(self.server.clone(), tokens)))
    }

    /// Removes the tokens of a game that was not started.
    pub(super) fn forget(&self) -> Result<(), TerminalError> {
        self.change(|content| drop(content.remove(&self.server)))
    }

    fn change(&self, change: impl FnOnce(&mut Content)) -> Result<(), TerminalError> {
        let changed = self.content().and_then(|mut content| {
            change(&mut content);
            match content.is_empty() {
                true => fs::remove_file(&self.path),
                false => replace(&self.path, &serde_json::to_vec(&content)?),
            }
        });
        changed.map_err(|error| self.error(error))
    }

    fn content(&self) -> io::Result<Content> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Content::new()),
            Err(error) => Err(error),
        }
    }

    fn error(&self, error: io::Error) -> TerminalError {
        TerminalError::TokenFile {
            path: self.path.clone(),
            error,
        }
    }
}

/// Replaces the file by a new one that only this user can read, whatever the mode of the old one was.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// The directory for the files of this program (XDG Base Directory Specification). A relative path in the
/// variable is ignored, as the specification says.
fn state_directory(xdg: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let xdg = xdg.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || home.filter(|path| path.is_absolute());
    let state = xdg.or_else(|| home().map(|home| home.join(".local/state")))?;
    Some(state.join("connect-four"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn tokens() -> KnownTokens {
        KnownTokens::from(&PlayerTokens::generate().expect("a random source"))
    }

    #[test]
    fn the_state_directory_is_in_the_variable_or_in_the_home_directory() {
        let directory = |xdg: Option<&str>, home: Option<&str>| {
            state_directory(xdg.map(OsString::from), home.map(PathBuf::from))
        };
        let below = |path: &str| Some(PathBuf::from(path));
        assert_eq!(
            directory(Some("/state"), Some("/home/ada")),
            below("/state/connect-four")
        );
        for xdg in [None, Some(""), Some("relative")] {
            let found = directory(xdg, Some("/home/ada"));
            assert_eq!(found, below("/home/ada/.local/state/connect-four"));
            assert_eq!(directory(xdg, None), None);
        }
    }

    #[test]
    fn only_the_user_can_read_the_file_even_if_it_existed() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("new/game.json");
        let file = TokenFile::at(path.clone(), "http://localhost:8080");
        let mode =
            |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        file.write(tokens()).expect("a writable folder");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder.path().join("new")), 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("our file");
        let written = tokens();
        file.write(written.clone()).expect("a writable folder");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(file.read().expect("a readable file"), written);
        assert_eq!(
            fs::read_dir(folder.path().join("new"))
                .expect("it exists")
                .count(),
            1
        );
    }

    #[test]
    fn no_service_gets_the_tokens_of_another() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("game.json");
        let file = TokenFile::at(path.clone(), "http://localhost:8080");
        let other = TokenFile::at(path.clone(), "https://example.org");
        let (one, two) = (tokens(), tokens());
        file.write(one.clone()).expect("a writable folder");
        assert_eq!(
            other.read().expect("a readable file"),
            KnownTokens::default()
        );
        other.write(two.clone()).expect("a writable folder");
        assert_eq!(file.read().expect("a readable file"), one);
        file.forget().expect("a writable folder");
        assert_eq!(other.read().expect("a readable file"), two);
        other.forget().expect("a writable folder");
        assert!(!path.exists());
    }

    #[test]
    fn a_damaged_file_is_named_in_the_error_and_not_overwritten() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("game.json");
        fs::write(&path, "{").expect("a writable folder");
        let file = TokenFile::at(path.clone(), "http://localhost:8080");
        let error = file.write(tokens()).expect_err("it is damaged").to_string();
        assert!(error.contains("game.json"), "{error}");
        assert_eq!(fs::read(&path).expect("still there"), b"{");
    }
}
