//! The server's rules for storing events (`CheckCommit` in its `IndexWriter.cs`).

use super::log::Log;
use super::stored::Proposal;
use super::stream_metadata::Limits;
use super::wire::{Expected, Position};

/// The result of an append that is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// The events were written. Contains the revision and position of the last one.
    Written(u64, Position),
    /// The events had been written before. An event that can no longer be read has no position.
    Repeated(u64, Option<Position>),
    /// The events are written and not committed yet. The server drops such a repetition.
    NotCommitted,
}

/// Why an append was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The stream is at another revision: this one, or it does not exist.
    WrongVersion(Option<u64>),
    Tombstoned,
}

/// How many of an append's events are already in the stream.
#[derive(PartialEq, Eq)]
enum Present {
    Nothing,
    /// The first event is in the stream, and a later one is not.
    Beginning,
    Everything,
}

impl Log {
    /// Appends the events, or recognises them as a repetition.
    pub fn append(
        &mut self,
        stream: &str,
        expected: Expected,
        proposals: Vec<Proposal>,
    ) -> Result<Accepted, Refusal> {
        let written = self.events.len();
        if self.is_tombstoned_among(stream, written) {
            return Err(Refusal::Tombstoned);
        }
        let is_deleted = |stream| Limits::of(self, stream, written).is_soft_deleted();
        let is_soft_deleted = is_deleted(stream);
        // A program that sets the metadata of a deleted stream does not bring its events back.
        let described = stream
            .strip_prefix("$$")
            .filter(|stream| is_deleted(stream));
        let length = self.stream(stream).len() as u64;
        let conflict = Refusal::WrongVersion(length.checked_sub(1));
        let first = match expected {
            Expected::NoStream(_) => 0,
            Expected::Revision(revision) => revision.saturating_add(1),
            Expected::StreamExists(_) if length == 0 || is_soft_deleted => return Err(conflict),
            Expected::Any(_) | Expected::StreamExists(_) => {
                self.recent(stream, proposals[0].id).unwrap_or(length)
            }
        };
        if first > length {
            return Err(conflict);
        }
        if first < length {
            let may_begin_again = is_soft_deleted && matches!(expected, Expected::NoStream(_));
            match self.present(stream, first, &proposals) {
                Present::Everything => {
                    let last = first + proposals.len() as u64 - 1;
                    return Ok(self.repeated(stream, last));
                }
                Present::Nothing if may_begin_again => {}
                Present::Nothing | Present::Beginning => return Err(conflict),
            }
        }
        let mut last = None;
        for proposal in proposals {
            let event = self.write(stream, proposal);
            last = Some((event.revision, event.position));
        }
        if is_soft_deleted {
            self.undelete(stream, length);
        }
        if let Some(stream) = described {
            self.undelete(stream, self.stream(stream).len() as u64);
        }
        let (revision, position) = last.expect("an append has an event");
        Ok(Accepted::Written(revision, position))
    }

    fn present(&self, stream: &str, first: u64, proposals: &[Proposal]) -> Present {
        let places = self.stream(stream);
        let is_present = |(revision, proposal): &(u64, &Proposal)| {
            let place = usize::try_from(*revision)
                .ok()
                .and_then(|at| places.get(at));
            self.recent(stream, proposal.id) == Some(*revision)
                || place.is_some_and(|place| {
                    self.events[*place].id == proposal.id && !self.is_scavenged(*place)
                })
        };
        let count = (first..).zip(proposals).take_while(is_present).count();
        match count {
            0 => Present::Nothing,
            count if count == proposals.len() => Present::Everything,
            _ => Present::Beginning,
        }
    }

    fn repeated(&self, stream: &str, revision: u64) -> Accepted {
        let places = self.stream(stream);
        let place = usize::try_from(revision).map(|at| places[at]);
        let place = place.expect("the revision was just found");
        if place >= self.progress().committed {
            return Accepted::NotCommitted;
        }
        let limits = Limits::of(self, stream, self.events.len());
        let is_kept = revision >= limits.first_kept(self, places);
        Accepted::Repeated(revision, is_kept.then_some(self.events[place].position))
    }
}
