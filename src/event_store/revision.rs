//! Names and numbers of streams.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a stream. The part before the first `-` is its category.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

/// A text that names no stream: an empty one, or one that begins with `$`, which databases
/// keep for themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not name a stream")]
pub struct InvalidStreamName(String);

impl StreamName {
    /// Checks the name: some databases answer a bad one as if they were down.
    pub fn new(name: impl Into<Arc<str>>) -> Result<StreamName, InvalidStreamName> {
        let name = name.into();
        if name.is_empty() || name.starts_with('$') {
            return Err(InvalidStreamName(name.to_string()));
        }
        Ok(StreamName(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The place of an event in its stream, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamRevision(u64);

impl StreamRevision {
    /// The revision of a stream's first event.
    pub const FIRST: StreamRevision = StreamRevision(0);

    /// The revision with this number.
    pub fn new(number: u64) -> StreamRevision {
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
    /// may name any number.
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

/// Where a stream has to be for an append to go through. There is no "any": who does not
/// know where the stream is has decided on nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedRevision {
    /// The stream is absent.
    NoStream,
    /// The stream's last event has this revision.
    Exact(StreamRevision),
}

impl ExpectedRevision {
    /// What to expect of a stream that was seen to end here; `None` for an absent one.
    pub fn at(last_revision: Option<StreamRevision>) -> ExpectedRevision {
        last_revision.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact)
    }

    /// The revision of the first event that an append at this expectation stores.
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

/// The place of an event among all events of the store. Later events have greater
/// positions; the distance between two of them means nothing.
///
/// As text it can be handed out and taken back (`Display`, `FromStr`), at the same store
/// only. Two numbers, since KurrentDB orders by commit and, within one transaction, by
/// prepare position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GlobalPosition {
    commit: u64,
    prepare: u64,
}

impl GlobalPosition {
    pub(super) fn new(commit: u64, prepare: u64) -> GlobalPosition {
        GlobalPosition { commit, prepare }
    }

    /// The position in a store that counts its events with one number.
    pub(super) fn counted(number: u64) -> GlobalPosition {
        GlobalPosition::new(number, number)
    }

    /// Whether a store that counts its events could have given this position.
    pub(super) fn is_counted(self) -> bool {
        self.commit == self.prepare
    }

    /// How far this is on the way to a later position, from 0 to 1. For people to look at:
    /// between two positions there may be any number of events.
    pub fn fraction_of(self, head: GlobalPosition) -> f64 {
        (self.commit as f64 / head.commit.max(1) as f64).min(1.0)
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
        if self.commit == self.prepare {
            write!(f, "{}", self.commit)
        } else {
            write!(f, "{}-{}", self.commit, self.prepare)
        }
    }
}

/// A text that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position of this store")]
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
    fn a_position_survives_its_text() {
        for position in [GlobalPosition::counted(7), GlobalPosition::new(12, 9)] {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for text in ["", "x", "1-", "-1", "1-2-3", "1 "] {
            assert_eq!(text.parse::<GlobalPosition>(), Err(InvalidPosition));
        }
    }

    #[test]
    fn names_that_databases_keep_for_themselves_are_refused() {
        assert!(StreamName::new("").is_err());
        assert!(StreamName::new("$all").is_err());
        assert!(StreamName::new("game-1").is_ok());
    }
}
