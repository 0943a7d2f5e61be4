//! Stores of every kind, and their URLs.

use std::path::PathBuf;
use std::sync::Arc;

use connect_four::event_store::{self, EventStore, MemoryStore};
use tempfile::TempDir;

use crate::double::Double;

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    KurrentDb,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Memory, Kind::Sqlite, Kind::KurrentDb];

/// A store, and what has to live as long as it.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn EventStore>,
    _keep: (Option<TempDir>, Option<Double>),
}

pub(crate) async fn open(kind: Kind) -> Opened {
    match kind {
        Kind::Memory => Opened {
            store: Arc::new(MemoryStore::new()),
            _keep: (None, None),
        },
        Kind::Sqlite => {
            let files = Files::new();
            Opened {
                store: at(&files.url("events.db")).await,
                _keep: (Some(files.0), None),
            }
        }
        Kind::KurrentDb => {
            let double = Double::start().await;
            Opened {
                store: at(&double.connection_string()).await,
                _keep: (None, Some(double)),
            }
        }
    }
}

pub(crate) async fn at(url: &str) -> Arc<dyn EventStore> {
    event_store::open(url).await.expect("it opens")
}

/// The same, but a SQLite file is neither locked nor changed.
pub(crate) async fn to_read(url: &str) -> Arc<dyn EventStore> {
    event_store::open_to_read(url).await.expect("it opens")
}

/// A folder for SQLite files.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Files {
        Files(TempDir::new().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("sqlite://{}", self.path(name).display())
    }
}
