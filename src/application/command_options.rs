//! The terms of a command: the key by which a repetition is known, and what the client expects
//! of the game.

use std::str::FromStr;

use bytes::Bytes;
use uuid::{Uuid, uuid};

use super::game_id::GameId;
use crate::event_store::StreamRevision;

/// The namespace of the ids of games that are started with a key. Made up once; it stays for
/// ever, since a key has to lead to the same game in every version of this program.
const KEYED_GAMES: Uuid = uuid!("c4a7d2f0-6e1b-4b39-9f58-2d0e7a91c364");

/// How long a key is, in characters. Shorter ones are too easily chosen twice.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 16..=255;

/// What a client calls one intention of its own, so that every attempt at it counts as one.
/// Visible ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdempotencyKey {
    /// Under 16 characters, or over 255.
    #[error("a key has {} to {} characters", KEY_LENGTH.start(), KEY_LENGTH.end())]
    Length,
    /// It holds a space, a control character or a letter that is not ASCII.
    #[error("a key consists of visible ASCII characters")]
    Character,
}

impl IdempotencyKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The game that is started with this key. The scope of the key is the whole service.
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

/// Some revisions of a game.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revisions {
    /// Whichever it is at. An absent game is at none.
    Every,
    /// These only, perhaps none.
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

/// What the client expects of the game. The default expects nothing.
#[derive(Debug, Clone, Default)]
pub struct Precondition {
    /// The game is at one of these.
    pub at: Option<Revisions>,
    /// The game is at none of these.
    pub not_at: Option<Revisions>,
    /// The latest revision that the client wants the game to be at, whether or not `at` counts
    /// it.
    pub expected: Option<StreamRevision>,
    /// A move without `at` is refused.
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

    /// What the client has seen of the game: the latest revision that it names.
    pub(super) fn seen(&self) -> Option<StreamRevision> {
        let latest = self.not_at.as_ref().and_then(|listed| match listed {
            Revisions::Every => None,
            Revisions::Listed(listed) => listed.iter().max().copied(),
        });
        self.expected.max(latest)
    }

    /// The revision that the client decided on, if it says one and the game has gone on since.
    pub(super) fn left_behind(&self, at: Option<StreamRevision>) -> Option<StreamRevision> {
        match &self.at {
            Some(Revisions::Listed(listed)) if !listed.iter().any(|listed| Some(*listed) >= at) => {
                listed.iter().max().copied()
            }
            Some(Revisions::Listed(_) | Revisions::Every) | None => None,
        }
    }
}

/// On which terms a client wants a command carried out.
#[derive(Debug, Clone, Default)]
pub struct CommandOptions {
    /// What is noted with the events that the command causes: JSON, or nothing.
    pub metadata: Bytes,
    /// What the client calls this move.
    pub key: Option<IdempotencyKey>,
    /// What it expects of the game.
    pub precondition: Precondition,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "b1946ac9-2f3e-4c5d-8a7b-6c5d4e3f2a1b";

    /// Made with Python's `uuid.uuid5`: other replicas and later versions must agree.
    #[test]
    fn a_key_leads_to_the_same_game_for_ever() {
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
    fn an_expectation_is_held_against_where_the_game_is() {
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

        let left_behind = |numbers: &[u64]| expect(listed(numbers), None).left_behind(at(5));
        assert_eq!(left_behind(&[3, 4]), at(4));
        for current in [&[5][..], &[3, 5], &[3, 6], &[]] {
            assert_eq!(left_behind(current), None, "{current:?}");
        }
    }
}
