//! Locks the file at a path for this process, and checks what the file is.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::header::{self, Kind};
use super::lock::{FileLock, LockError};

/// A file that exists, is writable, and is locked for this process.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The canonical path, without symbolic links.
    pub(crate) path: PathBuf,
    pub(crate) lock: FileLock,
    pub(crate) kind: Kind,
}

/// Why a file cannot be used. The file is unchanged.
#[derive(Debug)]
pub(crate) enum ClaimError {
    /// Another process or another part of this process uses the file.
    InUse(PathBuf),
    /// The file cannot be created, opened, read or written.
    Io(PathBuf, io::Error),
}

impl Claim {
    /// Locks the file. Creates it if it does not exist. Blocks the thread while it waits for the disk.
    pub(crate) fn stake(path: &Path, application_id: u32) -> Result<Claim, ClaimError> {
        // Created here and not by SQLite: only the path of an existing file can be made canonical.
        // SQLite treats an empty file as an empty database.
        match File::create_new(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(ClaimError::Io(path.to_owned(), error)),
        }
        Claim::stake_existing(path, application_id)
    }

    /// Like [`stake`](Claim::stake), for a file that must exist.
    pub(crate) fn stake_existing(path: &Path, application_id: u32) -> Result<Claim, ClaimError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| ClaimError::Io(path, error)
        };
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
}
