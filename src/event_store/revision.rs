//! Stream names, revisions and positions.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a stream. The part before the first `-` is its category.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

/// A string that is not a valid stream name: it is empty, or begins with `$`. Databases reserve
/// names that begin with `$` for their own streams.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a valid stream name")]
pub struct InvalidStreamName(String);

impl StreamName {
    /// Checks the name, because some databases answer an invalid one as if they were unavailable.
    pub fn new(name: impl Into<Arc<str>>) -> Result<StreamName, InvalidStreamName> {
        let name = name.into();
        if name.is_empty() || name.starts_with('$') {
            return Err(InvalidStreamName(name.to_string()));
        }
        Ok(StreamName(name))
    }

    /// The name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of an event in its stream, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamRevision(u64);

impl StreamRevision {
    /// The revision of a stream's first event.
    pub const FIRST: StreamRevision = StreamRevision(0);

    /// The revision with this number.
    pub const fn new(number: u64) -> StreamRevision {
        StreamRevision(number)
    }

    /// The number, counted from 0.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The revision of the event after this one.
    #[must_use]
    pub fn next(self) -> StreamRevision {
        self.plus(1)
    }

    /// The revision this many events later. Saturates: no stream is that long, but a client
    /// may send any number.
    #[must_use]
    pub fn plus(self, events: u64) -> StreamRevision {
        StreamRevision(self.0.saturating_add(events))
    }
}

impl fmt::Display for StreamRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The last revision that a stream must have for an append to succeed. There is no "any",
/// because a caller that does not know the stream's revision has not read the events that its
/// decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedRevision {
    /// The stream does not exist.
    NoStream,
    /// The stream's last event has this revision.
    Exact(StreamRevision),
}

impl ExpectedRevision {
    /// The expectation for a stream that was read and has this last revision; `None` if it does
    /// not exist.
    pub fn at(last_revision: Option<StreamRevision>) -> ExpectedRevision {
        last_revision.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact)
    }

    /// The revision that the first event of an append with this expectation gets.
    pub fn first_appended(self) -> StreamRevision {
        match self {
            ExpectedRevision::NoStream => StreamRevision::FIRST,
            ExpectedRevision::Exact(last) => last.next(),
        }
    }
}

impl fmt::Display for ExpectedRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpectedRevision::NoStream => f.write_str("no stream"),
            ExpectedRevision::Exact(revision) => write!(f, "revision {revision}"),
        }
    }
}

/// Orders an event among all events of the store. Later events have greater positions. The
/// difference between two positions has no meaning.
///
/// `Display` and `FromStr` convert it to a string and back. The string is valid only for the
/// same store. It has two numbers because KurrentDB orders events by commit position and,
/// within one transaction, by prepare position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GlobalPosition {
    commit: u64,
    prepare: u64,
}

impl GlobalPosition {
    pub(super) fn new(commit: u64, prepare: u64) -> GlobalPosition {
        GlobalPosition { commit, prepare }
    }

    /// A position in a store that numbers its events with one number.
    pub(super) fn counted(number: u64) -> GlobalPosition {
        GlobalPosition::new(number, number)
    }

    /// Whether a store that numbers its events with one number can have given this position.
    pub(super) fn is_counted(self) -> bool {
        self.commit == self.prepare
    }

    /// This position divided by `head`, from 0 to 1, to show progress to people. It is an
    /// estimate: there may be any number of events between two positions.
    pub fn fraction_of(self, head: GlobalPosition) -> f64 {
        (self.commit as f64 / head.commit.max(1) as f64).min(1.0)
    }

    /// The same text as `to_string`, which would cost several times as much.
    pub fn text(self) -> String {
        if self.commit == self.prepare {
            self.commit.to_string()
        } else {
            format!("{}-{}", self.commit, self.prepare)
        }
    }

    pub(super) fn commit(self) -> u64 {
        self.commit
    }

    pub(super) fn prepare(self) -> u64 {
        self.prepare
    }
}

impl fmt::Display for GlobalPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A string that is not a valid position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid position")]
pub struct InvalidPosition;

impl FromStr for GlobalPosition {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (commit, prepare) = text.split_once('-').unwrap_or((text, text));
        match (commit.parse(), prepare.parse()) {
            (Ok(commit), Ok(prepare)) => Ok(GlobalPosition { commit, prepare }),
            (Err(_), _) | (_, Err(_)) => Err(InvalidPosition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_the_same_after_it_was_written_and_parsed() {
        for position in [GlobalPosition::counted(7), GlobalPosition::new(12, 9)] {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for text in ["", "x", "1-", "-1", "1-2-3", "1 "] {
            assert_eq!(text.parse::<GlobalPosition>(), Err(InvalidPosition));
        }
    }

    #[test]
    fn empty_names_and_names_that_databases_reserve_are_refused() {
        assert!(StreamName::new("").is_err());
        assert!(StreamName::new("$all").is_err());
        assert!(StreamName::new("game-1").is_ok());
    }
}
