//! The options of a command: an idempotency key, a precondition on the revision of the game, and
//! metadata.

use bytes::Bytes;

use super::idempotency_key::IdempotencyKey;
use super::seats::{PlayerToken, Seats};
use crate::domain::PlayerName;
use crate::event_store::{ExpectedRevision, StreamRevision};

/// A set of revisions of a game.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revisions {
    /// Every revision. A game that does not exist is at no revision.
    Every,
    /// Only these revisions. May be empty.
    Listed(Vec<StreamRevision>),
}

impl Revisions {
    fn include(&self, at: Option<StreamRevision>) -> bool {
        match (self, at) {
            (_, None) => false,
            (Revisions::Every, Some(_)) => true,
            (Revisions::Listed(listed), Some(at)) => listed.contains(&at),
        }
    }
}

/// The revision at which the client expects the game. The default is no expectation.
#[derive(Debug, Clone, Default)]
pub struct Precondition {
    /// The game must be at one of these revisions (`If-Match`).
    pub at: Option<Revisions>,
    /// The game must be at none of these revisions (`If-None-Match`).
    pub not_at: Option<Revisions>,
    /// The latest revision that the client names in `If-Match`. Weak tags count here, although `at`
    /// does not include them.
    pub expected: Option<StreamRevision>,
    /// Whether a move without `at` is refused.
    pub is_required: bool,
}

impl Precondition {
    pub(super) fn holds(&self, at: Option<StreamRevision>) -> bool {
        self.at.as_ref().is_none_or(|listed| listed.include(at))
            && !self
                .not_at
                .as_ref()
                .is_some_and(|listed| listed.include(at))
    }

    /// Whether this is the latest revision that the client names in `If-Match`.
    pub(super) fn names(&self, revision: ExpectedRevision) -> bool {
        self.expected.map(ExpectedRevision::Exact) == Some(revision)
    }

    /// Whether a command may be decided on a game at this revision: the precondition holds, and is
    /// there if it is required.
    pub(super) fn admits(&self, at: Option<StreamRevision>) -> bool {
        let is_missing = self.is_required && self.at.is_none();
        !is_missing && self.holds(at)
    }

    /// The latest revision that the client has seen: the latest one that it names.
    pub(super) fn seen(&self) -> Option<StreamRevision> {
        let latest = self.not_at.as_ref().and_then(|listed| match listed {
            Revisions::Every => None,
            Revisions::Listed(listed) => listed.iter().max().copied(),
        });
        self.expected.max(latest)
    }

    /// The latest revision in `at`, if the game has more events than that.
    pub(super) fn outdated_revision(&self, at: Option<StreamRevision>) -> Option<StreamRevision> {
        match &self.at {
            Some(Revisions::Listed(listed)) if !listed.iter().any(|listed| Some(*listed) >= at) => {
                listed.iter().max().copied()
            }
            Some(Revisions::Listed(_) | Revisions::Every) | None => None,
        }
    }
}

/// What entitles a command to act for a player in a protected game.
#[derive(Debug, Clone, Default)]
pub enum Authority {
    /// The token in the command's options. Every command that comes through HTTP.
    #[default]
    Token,
    /// This process itself decided the command, for this player and no other. No request can set this.
    Player(PlayerName),
}

/// The options of a command.
#[derive(Debug, Clone, Default)]
pub struct CommandOptions {
    /// The metadata stored with the events that the command causes: JSON, or empty.
    pub metadata: Bytes,
    /// The idempotency key.
    pub key: Option<IdempotencyKey>,
    /// The expected revision.
    pub precondition: Precondition,
    /// The token of the player, for a move or a resignation in a protected game.
    pub token: Option<PlayerToken>,
    /// Whether the token is needed.
    pub authority: Authority,
    /// The hashes of both players' tokens, to start a protected game.
    pub seats: Option<Seats>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precondition_is_compared_with_the_current_revision() {
        let listed = |numbers: &[u64]| {
            let numbers = numbers.iter().copied().map(StreamRevision::new);
            Some(Revisions::Listed(numbers.collect()))
        };
        let at = |number| Some(StreamRevision::new(number));
        let expect = |at, not_at| Precondition {
            at,
            not_at,
            ..Precondition::default()
        };
        assert!(expect(None, None).holds(None));
        assert!(expect(listed(&[3, 4]), None).holds(at(4)));
        assert!(!expect(listed(&[3, 4]), None).holds(at(5)));
        assert!(!expect(listed(&[]), None).holds(at(5)));
        assert!(expect(Some(Revisions::Every), None).holds(at(5)));
        assert!(!expect(Some(Revisions::Every), None).holds(None));
        assert!(!expect(None, Some(Revisions::Every)).holds(at(5)));
        assert!(expect(None, Some(Revisions::Every)).holds(None));
        assert!(!expect(listed(&[5]), listed(&[5])).holds(at(5)));

        let outdated = |numbers: &[u64]| expect(listed(numbers), None).outdated_revision(at(5));
        assert_eq!(outdated(&[3, 4]), at(4));
        for current in [&[5][..], &[3, 5], &[3, 6], &[]] {
            assert_eq!(outdated(current), None, "{current:?}");
        }
    }
}
