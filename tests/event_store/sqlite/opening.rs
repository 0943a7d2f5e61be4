//! Files that are refused, and the error that the operator sees.

use std::fs;
use std::path::Path;
use std::process::Command;

use connect_four::event_store::{OpenError, SqliteOpenError, open};
use rusqlite::Connection;

use super::{TempFile, refusal, skip};
use crate::support::{begin, new_events, new_stream};

#[tokio::test]
async fn the_path_of_the_file_is_read_from_the_url() {
    let file = TempFile::new();
    let url = format!("sqlite://{}", file.path().display());
    let store = open(&url).await.expect("it opens");
    assert!(store.location().starts_with("SQLite file "));
    assert!(store.location().ends_with("events.db"));
    assert!(file.path().exists());

    let refused = open(&url).await.expect_err("it is open already");
    assert!(matches!(
        refused,
        OpenError::Sqlite(SqliteOpenError::InUse { .. })
    ));
    for url in ["sqlite://", "sqlite:x", "postgres://x", ""] {
        let refused = open(url).await.expect_err("an unknown scheme");
        assert!(matches!(refused, OpenError::UnknownScheme { .. }), "{url}");
    }
}

#[tokio::test]
async fn urls_with_a_meaning_to_sqlite_only_are_refused_and_create_no_file() {
    let file = TempFile::new();
    let directory = file.directory().display();
    for (url, instead) in [
        ("sqlite://:memory:".to_owned(), "use memory:"),
        (format!("sqlite://{directory}/x.db?mode=rwc"), "parameters"),
        (format!("sqlite://file:{directory}/x.db"), "without file:"),
    ] {
        let refused = open(&url).await.expect_err("no file has this name");
        assert!(matches!(refused, OpenError::MistakenPath { .. }), "{url}");
        assert!(refused.to_string().contains(instead), "{refused}");
    }
    assert!(files(file.directory()).is_empty());
    assert!(!Path::new(":memory:").exists());
}

#[tokio::test]
async fn a_second_store_on_a_file_is_refused_while_the_first_is_open() {
    let file = TempFile::new();
    let first = file.open().await;
    let refused = file.refusal().await;
    assert!(matches!(refused, SqliteOpenError::InUse { .. }));
    assert!(refused.to_string().contains("in use by another process"));

    let clone = first.clone();
    drop(first);
    assert!(matches!(
        file.refusal().await,
        SqliteOpenError::InUse { .. }
    ));
    drop(clone);
    file.open().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_to_a_file_in_use_is_refused() {
    let file = TempFile::new();
    let store = file.open().await;
    let link = file.directory().join("link.db");
    std::os::unix::fs::symlink(file.path(), &link).expect("a link");
    assert!(matches!(
        refusal(&link).await,
        SqliteOpenError::InUse { .. }
    ));
    drop(store);
}

#[tokio::test]
async fn a_refused_store_does_not_disturb_the_store_that_uses_the_file() {
    let file = TempFile::new();
    let store = file.open().await;
    let stream = new_stream();
    begin(&store, &stream, new_events(1)).await;
    file.refusal().await;

    // If the refused store had released SQLite's locks, SQLite would consider this connection the
    // last one, and would delete the journal that the store still uses.
    let Ok(status) = Command::new("sqlite3")
        .arg(file.path())
        .arg("SELECT count(*) FROM events")
        .output()
    else {
        return skip("there is no sqlite3 on this machine");
    };
    assert!(status.status.success());
    assert!(file.directory().join("events.db-wal").exists());
    crate::support::go_on(&store, &stream, 0, new_events(1)).await;
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused_and_left_alone() {
    for content in ["hello", "SQLite format 2\0", &"x".repeat(10_000)] {
        let file = TempFile::new();
        fs::write(file.path(), content).expect("a writable directory");
        let refused = file.refusal().await;
        assert!(matches!(refused, SqliteOpenError::NotADatabase { .. }));
        assert!(refused.to_string().contains("is not a SQLite database"));
        assert_eq!(
            fs::read(file.path()).expect("it is there"),
            content.as_bytes()
        );
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    for journal in ["DELETE", "WAL"] {
        let file = TempFile::new();
        let theirs = Connection::open(file.path()).expect("a new database");
        theirs
            .execute_batch(&format!(
                "PRAGMA journal_mode = {journal}; CREATE TABLE recipes (name TEXT);
                 INSERT INTO recipes VALUES ('bread');"
            ))
            .expect("a table");
        // Also while the other program has it open: what it wrote is still in its journal then.
        assert_left_alone(&file).await;
        drop(theirs);
        assert_left_alone(&file).await;
    }

    async fn assert_left_alone(file: &TempFile) {
        let before = files(file.directory());
        let refused = file.refusal().await;
        assert!(matches!(refused, SqliteOpenError::Foreign { .. }));
        assert!(refused.to_string().contains("of another program"));
        assert_eq!(files(file.directory()), before);
    }
}

#[tokio::test]
async fn a_database_with_a_newer_schema_is_refused_and_left_alone() {
    let file = TempFile::new();
    begin(&file.open().await, &new_stream(), new_events(1)).await;
    Connection::open(file.path())
        .and_then(|newer| newer.pragma_update(None, "user_version", 2))
        .expect("a database");
    let before = files(file.directory());
    let refused = file.refusal().await;
    assert!(matches!(
        refused,
        SqliteOpenError::NewerSchema {
            found: 2,
            known: 1,
            ..
        }
    ));
    assert!(refused.to_string().contains("use the newer program"));
    assert_eq!(files(file.directory()), before);
}

#[tokio::test]
async fn a_database_whose_newer_schema_is_still_in_the_journal_is_refused() {
    let file = TempFile::new();
    drop(file.open().await);
    let newer = Connection::open(file.path()).expect("a database");
    newer
        .pragma_update(None, "user_version", 2)
        .expect("it goes to the journal");
    assert!(matches!(
        file.refusal().await,
        SqliteOpenError::NewerSchema { found: 2, .. }
    ));
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    let file = TempFile::new();
    begin(&file.open().await, &new_stream(), new_events(1)).await;
    let mut bytes = fs::read(file.path()).expect("it is there");
    bytes[100..4096].fill(0xaa);
    fs::write(file.path(), bytes).expect("it is ours");
    assert!(matches!(
        file.refusal().await,
        SqliteOpenError::Damaged { .. }
    ));
}

#[tokio::test]
async fn a_directory_and_a_path_in_a_missing_directory_are_refused() {
    let file = TempFile::new();
    let directory = file.directory();
    assert!(matches!(
        refusal(directory).await,
        SqliteOpenError::IsADirectory { .. }
    ));
    fs::write(directory.join("file"), "").expect("a writable directory");
    for nowhere in ["missing/events.db", "file/events.db"] {
        assert!(matches!(
            refusal(&directory.join(nowhere)).await,
            SqliteOpenError::NoDirectory { .. }
        ));
    }
    assert!(matches!(
        refusal(Path::new("")).await,
        SqliteOpenError::NoDirectory { .. }
    ));
}

/// The superuser may write to a read-only file. Only a read-only file system or the immutable
/// attribute stops every user.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_cannot_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let file = TempFile::new();
    begin(&file.open().await, &new_stream(), new_events(1)).await;
    let before = fs::read(file.path()).expect("it is there");

    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o444)).expect("it is ours");
    let path = file.path();
    let immutable = Immutable::new(&path);
    if fs::File::options().write(true).open(file.path()).is_ok() {
        return skip("this user may write to any file here");
    }
    let refused = file.refusal().await;
    assert!(matches!(refused, SqliteOpenError::NotWritable { .. }));
    assert!(
        refused
            .to_string()
            .contains("must be able to write to the file")
    );
    drop(immutable);
    assert_eq!(fs::read(file.path()).expect("it is there"), before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_that_cannot_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let file = TempFile::new();
    drop(file.open().await);
    fs::set_permissions(file.directory(), fs::Permissions::from_mode(0o555)).expect("it is ours");
    let immutable = Immutable::new(file.directory());
    if fs::write(file.directory().join("probe"), "").is_ok() {
        return skip("this user may write to any directory here");
    }
    assert!(matches!(
        file.refusal().await,
        SqliteOpenError::NotWritable { .. }
    ));
    drop(immutable);
}

/// Sets the immutable attribute, which stops even the superuser, if the file system supports it.
#[cfg(unix)]
struct Immutable<'a>(&'a Path);

#[cfg(unix)]
impl<'a> Immutable<'a> {
    fn new(path: &'a Path) -> Immutable<'a> {
        Immutable::mark(path, "+i");
        Immutable(path)
    }

    fn mark(path: &Path, mark: &str) {
        // If this fails, the following probe detects it.
        drop(Command::new("chattr").arg(mark).arg(path).output());
    }
}

#[cfg(unix)]
impl Drop for Immutable<'_> {
    fn drop(&mut self) {
        Immutable::mark(self.0, "-i");
    }
}

/// Every file of the directory with its content. Left out are the lock file, which is created and
/// stays, and SQLite's shared memory, which connections of other programs write to while reading.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .expect("a writable directory")
        .map(|entry| entry.expect("it can be listed"))
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            )
        })
        .filter(|(name, _)| !name.ends_with(".lock") && !name.ends_with("-shm"))
        .map(|(name, path)| (name, fs::read(path).expect("it can be read")))
        .collect();
    files.sort();
    files
}
