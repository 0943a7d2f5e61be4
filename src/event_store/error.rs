//! What can go wrong between this service and its events.

use super::revision::{ExpectedRevision, GlobalPosition, StreamName, StreamRevision};

/// Why a store did not do what it was asked. Callers match it; its text is for the log and
/// never for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventStoreError {
    /// The stream is not where the append expected it: somebody else's events are there.
    #[error("stream {stream} is at {actual:?}, not at {expected}")]
    WrongExpectedRevision {
        /// The stream.
        stream: StreamName,
        /// Where it was expected.
        expected: ExpectedRevision,
        /// Where it is, as far as the store told; `None` when it is absent or not told.
        actual: Option<StreamRevision>,
    },
    /// The stream was deleted. Whether it could be written to again depends on the store; no
    /// caller should.
    #[error("stream {stream} was deleted")]
    StreamDeleted {
        /// The stream.
        stream: StreamName,
    },
    /// No event was ever recorded at this position.
    #[error("no event was recorded at position {position}")]
    NoEventAtPosition {
        /// The position.
        position: GlobalPosition,
    },
    /// The store has not reached this position.
    #[error("position {position} is beyond the end of the store")]
    PositionBeyondHead {
        /// The position.
        position: GlobalPosition,
    },
    /// The database answers, but its user lacks a permission or could not be authenticated.
    /// Nothing was done.
    #[error("the event store denies access: {reason}")]
    AccessDenied {
        /// For the operator: which user was refused what.
        reason: String,
    },
    /// The store cannot be reached or cannot work now. What was asked has not been done.
    #[error("the event store is unavailable: {reason}")]
    Unavailable {
        /// For the operator.
        reason: String,
    },
    /// The store may or may not have done what was asked. The same append may be sent again.
    #[error("the outcome of an append is unknown: {reason}")]
    OutcomeUnknown {
        /// For the operator.
        reason: String,
    },
    /// The store will not take this, now or later.
    #[error("the event store refused: {reason}")]
    Refused {
        /// For the operator.
        reason: String,
    },
    /// What is stored cannot be read back.
    #[error("stored events are damaged: {reason}")]
    Corrupt {
        /// For the operator.
        reason: String,
    },
}

impl EventStoreError {
    pub(super) fn unavailable(reason: impl ToString) -> EventStoreError {
        EventStoreError::Unavailable {
            reason: reason.to_string(),
        }
    }

    pub(super) fn empty_append(stream: &StreamName) -> EventStoreError {
        EventStoreError::Refused {
            reason: format!("an append of no events to stream {stream}"),
        }
    }
}
