//! A SQLite file that only this process uses: locks it, recognises it by its header, and reads it
//! through a pool of connections. The event store and the read model are both stored in such files.

mod claim;
mod header;
mod lock;
mod mistaken_path;
mod readers;
mod transaction;

pub(crate) use claim::{Claim, ClaimError};
pub(crate) use header::Kind;
pub(crate) use lock::{FileLock, beside};
pub(crate) use mistaken_path::mistaken_path;
pub(crate) use readers::{PausedReaders, ReadError, Readers};
pub(crate) use transaction::Transaction;
