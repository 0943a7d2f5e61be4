//! Why a copy did not succeed, and the exit codes.

use std::error::Error;
use std::io;

use super::difference::Difference;
use crate::event_store::{EventStoreError, OpenError};

/// Why a copy did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A store in memory has nothing to copy, and keeps nothing.
    #[error("memory: cannot be copied, because its events are lost when the process ends")]
    InMemory,
    /// Both URLs are those of one store.
    #[error("--from and --to are the same store: {0}")]
    SameStore(String),
    /// The source cannot be opened.
    #[error("the source: {0}")]
    OpenSource(OpenError),
    /// The target cannot be opened.
    #[error("the target: {0}")]
    OpenTarget(OpenError),
    /// The source failed.
    #[error("the source: {0}")]
    Source(EventStoreError),
    /// The target failed.
    #[error("the target: {0}")]
    Target(EventStoreError),
    /// The source or the target has not answered for too long.
    #[error("not everything was copied or compared: {0}; run the same command again to continue")]
    Unanswered(Box<CopyError>),
    /// A signal came before everything was copied.
    #[error("stopped before the end; run the same command again to continue")]
    Stopped,
    /// A stream differs in the target.
    #[error("{0}; with --keep-going, such games are listed and the others are copied")]
    Differs(Difference),
    /// Streams that were listed differ in the target.
    #[error("games that differ in the target: {0}")]
    Differences(u64),
    /// The summary cannot be printed, or signals cannot be caught.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl CopyError {
    fn exit_code(&self) -> u8 {
        match self {
            CopyError::Differs(_) | CopyError::Differences(_) => 3,
            CopyError::Unanswered(_) | CopyError::Stopped => 4,
            CopyError::InMemory
            | CopyError::SameStore(_)
            | CopyError::OpenSource(_)
            | CopyError::OpenTarget(_)
            | CopyError::Source(_)
            | CopyError::Target(_)
            | CopyError::Io(_) => 1,
        }
    }
}

/// The exit code of the program for the error of any subcommand: 1, or for `copy` also 3 and 4.
pub fn exit_code(error: &(dyn Error + 'static)) -> u8 {
    error
        .downcast_ref::<CopyError>()
        .map_or(1, CopyError::exit_code)
}
