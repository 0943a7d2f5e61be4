//! An append that is sent to the writer thread, and its answer.

use tokio::sync::oneshot;

use crate::event_store::{Appended, EventStoreError, ExpectedRevision, NewEvent, StreamName};

/// The outcome of an append.
pub(super) type Answer = Result<Appended, EventStoreError>;

/// An append that waits for the writer thread.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) stream: StreamName,
    pub(super) expected: ExpectedRevision,
    pub(super) events: Vec<NewEvent>,
    pub(super) answer: oneshot::Sender<Answer>,
}
