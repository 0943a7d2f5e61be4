//! A disk that is full or fails: nothing that was acknowledged is lost, nothing else is
//! acknowledged, and the process goes on.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use connect_four::event_store::{
    EventStore, EventStoreError, ExpectedRevision, SqliteStore, StreamName, StreamRevision,
};

use super::{TempFile, child_process, database_of_parent, lines, say, skip};
use crate::support::{ids_in, new_event, soon};

fn stream() -> StreamName {
    StreamName::new("contract-full").expect("it is not empty")
}

/// Appends until the store refuses. Returns the number of accepted appends, and the error.
async fn append_until_it_fails(store: &SqliteStore) -> (u64, EventStoreError) {
    let mut expected = ExpectedRevision::NoStream;
    loop {
        let mut event = new_event();
        event.data = Bytes::from(vec![b'1'; 10_000]);
        match soon(store.append(&stream(), expected, vec![event])).await {
            Ok(appended) => expected = ExpectedRevision::Exact(appended.revision),
            Err(error) => return (expected.first_appended().number(), error),
        }
    }
}

async fn length(store: &SqliteStore) -> u64 {
    ids_in(store, &stream()).await.len() as u64
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_works_again_when_there_is_room() -> io::Result<()> {
    let mount = TempFile::new();
    let Some(disk) = SmallDisk::mount(mount.directory()) else {
        skip("this user may not mount a small file system");
        return Ok(());
    };
    let ballast = disk.0.join("ballast");
    fs::write(&ballast, vec![0; 512 * 1024])?;
    let path = disk.0.join("events.db");

    let store = SqliteStore::open(&path).await.expect("there is room");
    let (stored, error) = append_until_it_fails(&store).await;
    assert!(stored > 0);
    assert!(
        matches!(error, EventStoreError::Unavailable { .. }),
        "{error:?}"
    );
    assert_eq!(length(&store).await, stored);
    assert_eq!(store.check().await, Ok(()));

    fs::remove_file(ballast)?;
    let expected = ExpectedRevision::Exact(StreamRevision::new(stored - 1));
    store
        .append(&stream(), expected, vec![new_event()])
        .await
        .expect("there is room again");
    drop(store);
    let store = SqliteStore::open(&path).await.expect("nothing is damaged");
    assert_eq!(length(&store).await, stored + 1);
    drop(store);
    drop(disk);
    Ok(())
}

#[tokio::test]
async fn a_disk_that_is_full_from_the_start_is_refused() -> io::Result<()> {
    let mount = TempFile::new();
    let Some(disk) = SmallDisk::mount(mount.directory()) else {
        skip("this user may not mount a small file system");
        return Ok(());
    };
    // Fills the file system completely.
    drop(fs::write(disk.0.join("ballast"), vec![0; 4 * 1024 * 1024]));
    SqliteStore::open(disk.0.join("events.db"))
        .await
        .expect_err("there is no room");
    fs::remove_file(disk.0.join("ballast"))?;
    SqliteStore::open(disk.0.join("events.db"))
        .await
        .expect("what was begun does no harm");
    Ok(())
}

/// A file system of two megabytes, unmounted when dropped.
struct SmallDisk<'a>(&'a Path);

impl SmallDisk<'_> {
    fn mount(directory: &Path) -> Option<SmallDisk<'_>> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]);
        let mounted = mount.arg(directory).output().ok()?.status.success();
        mounted.then_some(SmallDisk(directory))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // A lazy unmount, in case a file is still being closed.
        drop(Command::new("umount").arg("-l").arg(self.0).output());
    }
}

#[tokio::test]
#[ignore = "run by the test below in a process of its own"]
async fn appends_until_the_file_may_not_grow() {
    let store = SqliteStore::open(database_of_parent())
        .await
        .expect("it opens");
    let (stored, error) = append_until_it_fails(&store).await;
    assert!(
        matches!(
            error,
            EventStoreError::Unavailable { .. } | EventStoreError::OutcomeUnknown { .. }
        ),
        "{error:?}"
    );
    assert_eq!(length(&store).await, stored);
    assert!(store.check().await.is_err(), "commits still fail");
    say(stored);
}

/// The shell's limit on the file size simulates a failing disk, and needs no privileges.
#[cfg(unix)]
#[tokio::test]
async fn a_write_error_loses_nothing_that_was_acknowledged() -> io::Result<()> {
    let file = TempFile::new();
    let test = "sqlite::failing_disk::appends_until_the_file_may_not_grow";
    let mut child = child_process(test, &file.path(), "trap '' XFSZ; ulimit -f 512;").spawn()?;
    let said: Vec<String> = lines(&mut child).collect();
    assert!(child.wait()?.success());
    let stored: u64 = said[0].parse().expect("a number");
    assert!(stored > 0);

    let store = file.open().await;
    // One more if the append with the unknown outcome was stored.
    assert!((stored..=stored + 1).contains(&length(&store).await));
    Ok(())
}
