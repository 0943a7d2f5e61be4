//! What a SQLite file has to stand besides the contract.

use crate::support::Opened;
use std::sync::Arc;

use connect_four::event_store::SqliteStore;

pub(crate) async fn open() -> Option<Opened> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(directory.path().join("events.db"))
        .await
        .expect("a new file opens");
    Some(Opened::new(Arc::new(store), directory))
}
