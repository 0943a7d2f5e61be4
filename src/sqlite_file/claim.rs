//! From a path to a file that only this process may use.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::header::{self, Kind};
use super::lock::{FileLock, LockError};

/// A file that exists, is writable, and is locked for this process.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Without links.
    pub(crate) path: PathBuf,
    pub(crate) lock: FileLock,
    pub(crate) kind: Kind,
}

/// Why a file cannot be used. It is left as it was.
#[derive(Debug)]
pub(crate) enum ClaimError {
    /// Another process has it, or another user in this process.
    InUse(PathBuf),
    /// It cannot be created, opened, read or written.
    Io(PathBuf, io::Error),
}

impl Claim {
    /// Claims the file, which is created when there is none. Blocks on the disk.
    pub(crate) fn stake(path: &Path, application_id: u32) -> Result<Claim, ClaimError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| ClaimError::Io(path, error)
        };
        // Created here and not by SQLite: a path must exist to be made canonical, and SQLite
        // takes an empty file for an empty database.
        match File::create_new(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(path)(error)),
        }
        let path = path.canonicalize().map_err(failed(path))?;
        if path.is_dir() {
            return Err(failed(&path)(io::ErrorKind::IsADirectory.into()));
        }
        let lock = FileLock::take(&path).map_err(|error| match error {
            LockError::Taken => ClaimError::InUse(path.clone()),
            LockError::Io(error) => failed(&path)(error),
        })?;
        let mut header = Vec::new();
        lock.file()
            .take(header::LENGTH)
            .read_to_end(&mut header)
            .map_err(failed(&path))?;
        let kind = Kind::of(&header, application_id);
        Ok(Claim { path, lock, kind })
    }

    /// Empties the file, and removes what SQLite keeps beside it. No connection to it may be
    /// open. The file stays the same one, and locked.
    pub(crate) fn empty(&mut self) -> io::Result<()> {
        // The file last: a journal that is left beside an empty file would be replayed into it.
        for suffix in ["-journal", "-wal", "-shm"] {
            let mut name = OsString::from(&self.path);
            name.push(suffix);
            match fs::remove_file(&name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        self.lock.file().set_len(0)?;
        self.kind = Kind::Empty;
        Ok(())
    }
}
