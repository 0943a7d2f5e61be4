//! Ids of games, and the names of their streams.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::event_store::StreamName;

/// The prefix of the stream name of every game: the tutorial's category.
pub const GAME_STREAM_PREFIX: &str = "game-";

/// The id of a game: a UUID, written in lower case with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GameId(Uuid);

/// A string that is not a hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a game's id is a UUID like 5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77")]
pub struct InvalidGameId;

impl GameId {
    /// The length of an id as text, in bytes.
    pub const LENGTH: usize = uuid::fmt::Hyphenated::LENGTH;

    /// A new id. It is a UUID of version 7 (RFC 9562, 5.7), so games that are played at the same
    /// time are close to each other in an index.
    pub fn generate() -> GameId {
        GameId(Uuid::now_v7())
    }

    /// The id with this UUID.
    pub fn from_uuid(uuid: Uuid) -> GameId {
        GameId(uuid)
    }

    /// The id as a UUID.
    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// The id as text after a prefix. It is allocated once, and costs less than formatting.
    pub fn with_prefix(self, prefix: &str) -> String {
        let mut text = String::with_capacity(prefix.len() + GameId::LENGTH);
        text.push_str(prefix);
        let mut id = Uuid::encode_buffer();
        text.push_str(self.0.hyphenated().encode_lower(&mut id));
        text
    }

    /// The stream that contains the events of the game: `game-{uuid}`, as in the tutorial.
    pub fn stream(&self) -> StreamName {
        let name = self.with_prefix(GAME_STREAM_PREFIX);
        StreamName::new(name).expect("a name that begins with `game-` is a valid stream name")
    }

    /// The game that this stream belongs to. `None` for every name that [`stream`](GameId::stream)
    /// does not produce, such as one in upper case.
    pub fn of_stream(stream: &StreamName) -> Option<GameId> {
        let id = stream.as_str().strip_prefix(GAME_STREAM_PREFIX)?;
        let is_canonical = !id.bytes().any(|byte| byte.is_ascii_uppercase());
        id.parse().ok().filter(|_| is_canonical)
    }
}

impl fmt::Display for GameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for GameId {
    type Err = InvalidGameId;

    /// Accepts only the hyphenated form, in upper or lower case. The other forms of a UUID (braces,
    /// no hyphens, a URN) are refused, so that a game does not get more names than necessary.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != GameId::LENGTH {
            return Err(InvalidGameId);
        }
        Uuid::try_parse(text).map(GameId).map_err(|_| InvalidGameId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_game_is_named_by_a_hyphenated_uuid_only() {
        let canonical = "5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77";
        let id: GameId = canonical.to_uppercase().parse().expect("an id");
        assert_eq!(id.to_string(), canonical);
        assert_eq!(id.stream().as_str(), format!("game-{canonical}"));
        assert_eq!(GameId::of_stream(&id.stream()), Some(id));
        for other in [canonical.to_uppercase(), "1".to_owned()] {
            let stream = StreamName::new(format!("game-{other}")).expect("a name");
            assert_eq!(GameId::of_stream(&stream), None, "{stream}");
        }
        let simple = canonical.replace('-', "");
        for other in [
            &simple[..],
            &format!("{{{canonical}}}"),
            &format!("urn:uuid:{canonical}"),
            "",
            "1",
            "../../../etc/passwd",
        ] {
            assert_eq!(other.parse::<GameId>(), Err(InvalidGameId), "{other:?}");
        }
    }
}
