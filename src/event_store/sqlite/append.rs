//! An append on its way to the writer, and its answer.

use tokio::sync::oneshot;

use crate::event_store::{Appended, EventStoreError, ExpectedRevision, NewEvent, StreamName};

/// What became of an append.
pub(super) type Answer = Result<Appended, EventStoreError>;

/// An append that waits for its transaction.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) stream: StreamName,
    pub(super) expected: ExpectedRevision,
    pub(super) events: Vec<NewEvent>,
    pub(super) answer: oneshot::Sender<Answer>,
}
