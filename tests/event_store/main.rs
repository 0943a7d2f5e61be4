//! The contract of the event store, and who has signed it. A store joins with one line.

#[macro_use]
mod contract;
mod sqlite;
mod support;

use std::sync::Arc;

use connect_four::event_store::MemoryStore;

use support::Opened;

store_contract!(memory, open_memory());
store_contract!(sqlite_file, sqlite::open());

async fn open_memory() -> Option<Opened> {
    Some(Opened::new(Arc::new(MemoryStore::new()), ()))
}
