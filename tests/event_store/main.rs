//! The contract of the event store, and the stores that must fulfil it. Adding a store takes one
//! line.

#[macro_use]
mod contract;
#[path = "../support/kurrentdb/mod.rs"]
#[expect(dead_code, reason = "the contract does not use the double's faults")]
mod double;
mod kurrentdb;
#[path = "../support/real_kurrentdb.rs"]
mod real_kurrentdb;
mod sqlite;
mod support;

use std::sync::Arc;

use connect_four::event_store::MemoryStore;

use support::Opened;

store_contract!(memory, open_memory());
store_contract!(sqlite_file, sqlite::open());
store_contract!(kurrentdb_on_the_wire, kurrentdb::open_double());
store_contract!(real_kurrentdb_server, kurrentdb::open_real(), #[ignore]);

async fn open_memory() -> Opened {
    Opened::new(Arc::new(MemoryStore::new()), ())
}
