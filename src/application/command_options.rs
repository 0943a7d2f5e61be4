//! The options of a command: an idempotency key, a precondition on the revision of the game, and
//! metadata.

use std::str::FromStr;

use bytes::Bytes;
use uuid::{Uuid, uuid};

use super::game_id::GameId;
use crate::event_store::StreamRevision;

/// The UUID namespace for the ids of games that are started with a key. It must never change: a key
/// must give the same game id in every version of this program.
const KEYED_GAMES: Uuid = uuid!("c4a7d2f0-6e1b-4b39-9f58-2d0e7a91c364");

/// The allowed length of a key, in characters. With shorter keys, two clients could easily choose
/// the same one.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 16..=255;

/// The client's name for one command. Requests with the same key are attempts at the same command,
/// which is carried out once. Consists of visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Why a text is not a valid key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdempotencyKey {
    /// The key has fewer than 16 or more than 255 characters.
    #[error("a key has {} to {} characters", KEY_LENGTH.start(), KEY_LENGTH.end())]
    Length,
    /// The key contains a space, a control character or a character that is not ASCII.
    #[error("a key consists of visible ASCII characters")]
    Character,
}

impl IdempotencyKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the game that is started with this key. The key is unique in the whole service.
    pub fn game_id(&self) -> GameId {
        let name = format!("create:{}", self.0);
        GameId::from_uuid(Uuid::new_v5(&KEYED_GAMES, name.as_bytes()))
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err(InvalidIdempotencyKey::Character);
        }
        if !KEY_LENGTH.contains(&text.len()) {
            return Err(InvalidIdempotencyKey::Length);
        }
        Ok(IdempotencyKey(text.to_owned()))
    }
}

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

/// The options of a command.
#[derive(Debug, Clone, Default)]
pub struct CommandOptions {
    /// The metadata stored with the events that the command causes: JSON, or empty.
    pub metadata: Bytes,
    /// The idempotency key.
    pub key: Option<IdempotencyKey>,
    /// The expected revision.
    pub precondition: Precondition,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "b1946ac9-2f3e-4c5d-8a7b-6c5d4e3f2a1b";

    /// Computed with Python's `uuid.uuid5`. Other replicas and later versions must compute the same.
    #[test]
    fn a_key_always_gives_the_same_game_id() {
        let key: IdempotencyKey = KEY.parse().expect("a key");
        assert_eq!(
            key.game_id().to_string(),
            "d8e77ca8-672f-58fe-8d08-c965500ddf80"
        );
    }

    #[test]
    fn a_key_has_16_to_255_visible_ascii_characters() {
        let parse = |text: &str| text.parse::<IdempotencyKey>().map(drop);
        for key in ["!\"#$%&'()*+,-./0", &"~".repeat(255), KEY] {
            assert_eq!(parse(key), Ok(()), "{key}");
        }
        for key in [
            "",
            "fifteen letters",
            "a key with spaces",
            "schlüssel-schlüssel",
        ] {
            assert!(parse(key).is_err(), "{key}");
        }
        assert_eq!(parse(&"~".repeat(15)), Err(InvalidIdempotencyKey::Length));
        assert_eq!(parse(&"~".repeat(256)), Err(InvalidIdempotencyKey::Length));
    }

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
