//! A SQLite file that this process has to itself: opened, locked, recognised by its header, and
//! read through a pool. The event store and the read model are both kept in such files.

mod claim;
mod header;
mod lock;
mod readers;

pub(crate) use claim::{Claim, ClaimError};
pub(crate) use header::Kind;
pub(crate) use lock::FileLock;
pub(crate) use readers::{ReadError, Readers};
