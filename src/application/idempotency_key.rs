//! The idempotency key, by which a repeated request is recognised.

use std::str::FromStr;

use uuid::{Uuid, uuid};

use super::game_id::GameId;

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
}
