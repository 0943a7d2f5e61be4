//! An exclusive lock on a SQLite file.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// An exclusive lock on a file. It is held until this is dropped or the process ends, also if the
/// process crashes.
///
/// The lock is on the file itself (`flock`), so it also holds for a hard link and for a renamed
/// path. SQLite's own locks are of another kind (`fcntl`) and do not conflict with it. But when a
/// process closes any descriptor of a file, it loses all its `fcntl` locks on that file. So this
/// must be dropped after the last SQLite connection to the file, and a file that this process has
/// already locked must be recognised without opening it.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    id: FileId,
    path: PathBuf,
}

/// Why a file was not locked.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process or another part of this process holds the lock.
    Taken,
    /// The file cannot be opened or locked.
    Io(io::Error),
}

/// The files that this process has locked.
static LOCKED: LazyLock<Mutex<HashSet<FileId>>> = LazyLock::new(Mutex::default);

/// A panic cannot leave the set inconsistent, so a poisoned lock can be used.
fn locked() -> MutexGuard<'static, HashSet<FileId>> {
    LOCKED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileLock {
    /// Locks the file, which must exist. Fails at once if it is already locked.
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
            let lock = FileLock {
                file,
                id: id.clone(),
                path: path.to_owned(),
            };
            // Another process may have replaced the file after it was opened here.
            lock.is_at_its_path()
                .then_some(lock)
                .ok_or(LockError::Taken)
        });
        if lock.is_err() {
            locked().remove(&id);
        }
        lock
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether the locked file is still at its path: it has not been deleted, renamed or replaced.
    /// The data of a deleted file is lost when the process ends.
    pub(crate) fn is_at_its_path(&self) -> bool {
        FileId::of(&self.path).is_ok_and(|id| id == self.id)
    }

    /// Truncates the file to zero length, and deletes the journal, WAL and shared-memory files beside
    /// it. There must be no open connection to it. The file keeps its inode and stays locked.
    pub(crate) fn empty(&self) -> io::Result<()> {
        // The file itself last: SQLite would replay a journal beside an empty file into that file.
        for suffix in ["-journal", "-wal", "-shm"] {
            match fs::remove_file(beside(&self.path, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        self.file.set_len(0)
    }

    /// Whether SQLite has left a journal or a write-ahead log, without which the file is not complete.
    /// The last connection removes it when it closes, unless another process has the file open
    /// or the disk is full.
    pub(crate) fn has_journal(&self) -> bool {
        let exists = |suffix| beside(&self.path, suffix).exists();
        exists("-journal") || exists("-wal")
    }

    /// Renames the file, in the place of the file at the new path. It stays locked. There must be no
    /// open connection to either, and neither may have a journal.
    pub(crate) fn rename(&mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        path.clone_into(&mut self.path);
        Ok(())
    }

    /// Deletes the file and what SQLite keeps beside it. There must be no open connection to it.
    pub(crate) fn delete(self) -> io::Result<()> {
        self.empty()?;
        fs::remove_file(&self.path)
    }
}

/// The path of a file in the same directory, whose name is longer by this suffix.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child process that is being started at this moment has
        // a copy of the descriptor between `fork` and `exec`.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "a SQLite file stays locked until the process ends");
        }
        locked().remove(&self.id);
    }
}

/// Identifies a file independently of its path.
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
    fn a_file_cannot_be_locked_twice_even_by_another_path() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.db");
        let link = directory.path().join("b.db");
        File::create(&path).expect("a file");
        std::fs::hard_link(&path, &link).expect("a link");

        let lock = FileLock::take(&path).expect("an unlocked file");
        assert!(matches!(FileLock::take(&path), Err(LockError::Taken)));
        assert!(matches!(FileLock::take(&link), Err(LockError::Taken)));
        drop(lock);
        FileLock::take(&link).expect("an unlocked file");
    }

    #[test]
    fn a_file_that_takes_the_place_of_another_one_stays_locked() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.db");
        let other = directory.path().join("b.db");
        File::create(&path).expect("a file");
        File::create(&other).expect("a file");
        let old = FileLock::take(&path).expect("an unlocked file");
        let mut new = FileLock::take(&other).expect("an unlocked file");
        new.rename(&path).expect("both are locked");
        drop(old);
        assert!(new.is_at_its_path());
        assert!(matches!(FileLock::take(&path), Err(LockError::Taken)));
        File::create(beside(&path, "-wal")).expect("a file");
        assert!(new.has_journal());
        new.delete().expect("it is there");
        assert_eq!(directory.path().read_dir().expect("a folder").count(), 0);
    }

    #[test]
    fn a_file_that_is_deleted_renamed_or_replaced_is_noticed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.db");
        let elsewhere = directory.path().join("b.db");
        File::create(&path).expect("a file");
        let lock = FileLock::take(&path).expect("an unlocked file");
        assert!(lock.is_at_its_path());

        std::fs::rename(&path, &elsewhere).expect("renamed");
        assert!(!lock.is_at_its_path());
        File::create(&path).expect("another file");
        assert!(!lock.is_at_its_path());
        std::fs::rename(&elsewhere, &path).expect("renamed back");
        assert!(lock.is_at_its_path());
    }
}
