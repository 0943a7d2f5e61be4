//! How a stream in the target differs from the one in the source.

use std::fmt;

use crate::event_store::{StreamName, StreamRevision};

/// A stream that is not the same in the target. The text names the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stream.
    pub stream: StreamName,
    /// What differs.
    pub kind: DifferenceKind,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The target has another event at this revision, which is the first that differs.
    OtherEvent(StreamRevision),
    /// The target lacks the events from this revision on.
    Missing(StreamRevision),
    /// The target does not have the stream, or not its first events, because they were deleted.
    Deleted,
    /// The source does not have the stream, or not its first events, because they were deleted. The
    /// target still has it, or lets it begin again.
    NotDeleted,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stream = &self.stream;
        match self.kind {
            DifferenceKind::OtherEvent(revision) => write!(
                f,
                "{stream} differs: the target has another event at revision {revision}"
            ),
            DifferenceKind::Missing(StreamRevision::FIRST) => {
                write!(f, "{stream} differs: the target does not have it")
            }
            DifferenceKind::Missing(revision) => write!(
                f,
                "{stream} differs: the target has no events from revision {revision} on"
            ),
            DifferenceKind::Deleted => {
                write!(f, "{stream} differs: it was deleted in the target")
            }
            DifferenceKind::NotDeleted => {
                write!(
                    f,
                    "{stream} differs: it was deleted in the source, but not in the target"
                )
            }
        }
    }
}
