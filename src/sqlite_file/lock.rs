//! The lock that keeps every other user from a SQLite file.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// The right to use a file, until this is dropped or the process ends, however it ends.
///
/// The lock is on the file itself (`flock`), so a hard link or a renamed path meets the same
/// lock. SQLite's own locks are of another kind (`fcntl`) and do not conflict with it. They have
/// a trap: closing any descriptor of a file drops all `fcntl` locks of the process on it. So
/// this must be dropped after the last SQLite connection to the file, and a file that this
/// process has already locked is recognised without opening it.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    id: FileId,
    path: PathBuf,
}

/// Why a file was not locked.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process has the lock, or another user in this process.
    Taken,
    /// The file cannot be opened or locked.
    Io(io::Error),
}

/// The files that this process has locked.
static LOCKED: LazyLock<Mutex<HashSet<FileId>>> = LazyLock::new(Mutex::default);

/// A set stays sound when its holder panics.
fn locked() -> MutexGuard<'static, HashSet<FileId>> {
    LOCKED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileLock {
    /// Locks the file, which must exist. Does not wait.
    pub(super) fn take(path: &Path) -> Result<FileLock, LockError> {
        let id = FileId::of(path).map_err(LockError::Io)?;
        if !locked().insert(id.clone()) {
            return Err(LockError::Taken);
        }
        let lock = File::options().read(true).write(true).open(path);
        let lock = lock.map_err(LockError::Io).and_then(|file| {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Taken),
                Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
            }
            Ok(FileLock {
                file,
                id: id.clone(),
                path: path.to_owned(),
            })
        });
        if lock.is_err() {
            locked().remove(&id);
        }
        lock
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether the path still leads to the locked file: it has not been deleted, renamed or
    /// replaced. What is written to a file that no path leads to is lost with the process.
    pub(crate) fn is_at_its_path(&self) -> bool {
        FileId::of(&self.path).is_ok_and(|id| id == self.id)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is being started at this moment holds
        // a copy of the descriptor until it executes its program.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "a SQLite file stays locked until the process ends");
        }
        locked().remove(&self.id);
    }
}

/// What distinguishes a file from every other one, whatever its path.
#[cfg(unix)]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FileId {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl FileId {
    fn of(path: &Path) -> io::Result<FileId> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path)?;
        Ok(FileId {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

#[cfg(not(unix))]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FileId(PathBuf);

#[cfg(not(unix))]
impl FileId {
    fn of(path: &Path) -> io::Result<FileId> {
        path.canonicalize().map(FileId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_locked_once_whatever_its_path() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.db");
        let link = directory.path().join("b.db");
        File::create(&path).expect("a file");
        std::fs::hard_link(&path, &link).expect("a link");

        let lock = FileLock::take(&path).expect("nobody has it");
        assert!(matches!(FileLock::take(&path), Err(LockError::Taken)));
        assert!(matches!(FileLock::take(&link), Err(LockError::Taken)));
        drop(lock);
        FileLock::take(&link).expect("nobody has it any more");
    }

    #[test]
    fn a_file_that_is_deleted_renamed_or_replaced_is_noticed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.db");
        let elsewhere = directory.path().join("b.db");
        File::create(&path).expect("a file");
        let lock = FileLock::take(&path).expect("nobody has it");
        assert!(lock.is_at_its_path());

        std::fs::rename(&path, &elsewhere).expect("renamed");
        assert!(!lock.is_at_its_path());
        File::create(&path).expect("another file");
        assert!(!lock.is_at_its_path());
        std::fs::rename(&elsewhere, &path).expect("renamed back");
        assert!(lock.is_at_its_path());
    }
}
