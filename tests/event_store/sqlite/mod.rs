//! Tests of the SQLite store beyond the contract.

mod failing_disk;
mod lost_file;
mod opening;
mod reopening;
mod tail;
mod versions;
mod writing;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use connect_four::event_store::{SqliteOpenError, SqliteStore};

use crate::support::Opened;

pub(crate) async fn open() -> Opened {
    let file = TempFile::new();
    let store = Arc::new(file.open().await);
    Opened::new(store, file)
}

/// The path of a database file in a directory of its own.
pub(crate) struct TempFile {
    directory: tempfile::TempDir,
}

impl TempFile {
    pub(crate) fn new() -> TempFile {
        TempFile {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("events.db")
    }

    pub(crate) async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path()).await.expect("it opens")
    }

    pub(crate) async fn refusal(&self) -> SqliteOpenError {
        refusal(&self.path()).await
    }
}

pub(crate) async fn refusal(path: &Path) -> SqliteOpenError {
    SqliteStore::open(path)
        .await
        .expect_err("it must not be opened")
}

/// The environment variable with the database's path, for a test in a process of its own.
const DATABASE: &str = "EVENT_STORE_TEST_DATABASE";

/// A command that runs one ignored test of this binary on the database. `sh` runs `prelude` first.
fn child_process(test: &str, database: &Path, prelude: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!(r#"{prelude} exec "$0" "$@""#))
        .arg(std::env::current_exe().expect("a test has a binary"))
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(DATABASE, database)
        .stdout(Stdio::piped());
    command
}

/// In the child process: the path of the database to use.
fn database_of_parent() -> PathBuf {
    PathBuf::from(std::env::var_os(DATABASE).expect("only for a parent test to start"))
}

/// The lines that the child prints with [`say`], without the output of the test harness.
fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let stdout = child.stdout.take().expect("it is piped, and taken once");
    BufReader::new(stdout)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| Some(line.split_once(SAYS)?.1.to_owned()))
}

/// Marks the child's own output. Text of the test harness may come before it in the same line.
const SAYS: &str = "child says ";

#[expect(
    clippy::print_stdout,
    reason = "the parent reads the child's standard output"
)]
fn say(what: impl std::fmt::Display) {
    println!("{SAYS}{what}");
}

#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}
