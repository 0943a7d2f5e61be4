//! The errors of an event store.

use super::revision::{ExpectedRevision, GlobalPosition, StreamName, StreamRevision};

/// Why a call of the event store failed. Callers match on it. Its text is for the log and is
/// never sent to a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventStoreError {
    /// The stream is not at the revision that the append expects: it has other events.
    #[error("stream {stream} is at {actual:?}, not at {expected}")]
    WrongExpectedRevision {
        /// The stream.
        stream: StreamName,
        /// The revision that the append expects.
        expected: ExpectedRevision,
        /// The last revision of the stream; `None` when the stream does not exist, or when the
        /// store did not report it.
        actual: Option<StreamRevision>,
    },
    /// The stream was deleted. Some stores would accept new events in it, but callers should
    /// not append any.
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
    /// The position is after the last event of the store.
    #[error("position {position} is after the last event of the store")]
    PositionBeyondHead {
        /// The position.
        position: GlobalPosition,
    },
    /// The database answers, but the user lacks a permission or could not be authenticated. The
    /// call had no effect.
    #[error("the event store denies access: {reason}")]
    AccessDenied {
        /// For the operator: which user may not do what.
        reason: String,
    },
    /// The store cannot be reached or does not work at the moment. The call had no effect.
    #[error("the event store is unavailable: {reason}")]
    Unavailable {
        /// For the operator.
        reason: String,
    },
    /// The append may or may not have been stored. It is safe to send the same append again.
    #[error("the outcome of an append is unknown: {reason}")]
    OutcomeUnknown {
        /// For the operator.
        reason: String,
    },
    /// The store does not accept this call; repeating it does not help.
    #[error("the event store refused the call: {reason}")]
    Refused {
        /// For the operator.
        reason: String,
    },
    /// Stored data cannot be read.
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
            reason: format!("an append to stream {stream} contains no events"),
        }
    }
}
