//! The JSON of stored events. Member names and values are exactly the tutorial's, so that both
//! programs can use the same database.

use bytes::Bytes;
use serde::de::{Error, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::{Column, GameEvent, GameResult, PlayerName};

#[derive(Serialize, Deserialize)]
struct GameStarted<Name> {
    player_one: Name,
    player_two: Name,
}

#[derive(Deserialize)]
struct MoveMade {
    player: PlayerName,
    #[serde(deserialize_with = "word")]
    column: Column,
}

#[derive(Serialize, Deserialize)]
struct GameFinished {
    #[serde(deserialize_with = "word")]
    result: GameResult,
}

/// The stored type and the stored data of an event.
pub fn encode(event: &GameEvent) -> (&'static str, Bytes) {
    fn json(data: impl Serialize) -> Bytes {
        serde_json::to_vec(&data)
            .expect("names, columns and results can be encoded as JSON")
            .into()
    }
    match event {
        GameEvent::GameStarted {
            player_one,
            player_two,
        } => (
            "GameStarted",
            json(GameStarted {
                player_one,
                player_two,
            }),
        ),
        GameEvent::MoveMade { player, column } => ("MoveMade", move_made(player, *column).into()),
        GameEvent::GameFinished { result } => {
            ("GameFinished", json(GameFinished { result: *result }))
        }
    }
}

/// Nearly every event is a move, so its members are written without looking for characters to escape in their
/// names.
fn move_made(player: &PlayerName, column: Column) -> Vec<u8> {
    let (before, between, after) = (r#"{"player":"#, r#","column":""#, r#""}"#);
    let others = before.len() + between.len() + 1 + after.len();
    let mut json = Vec::with_capacity(others + 2 + player.as_str().len());
    json.extend_from_slice(before.as_bytes());
    serde_json::to_writer(&mut json, player).expect("a name can be encoded as JSON");
    json.extend_from_slice(between.as_bytes());
    json.extend_from_slice(column.as_str().as_bytes());
    json.extend_from_slice(after.as_bytes());
    json
}

/// Why a stored event cannot be decoded as an event of a game.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The event type does not exist in games.
    #[error("unknown event type {0:?}")]
    UnknownType(String),
    /// The data does not fit the event type.
    #[error("invalid event data: {0}")]
    Data(#[from] serde_json::Error),
}

/// Decodes a stored event. Unknown members are ignored, as in the tutorial's reader.
pub fn decode(event_type: &str, data: &[u8]) -> Result<GameEvent, DecodeError> {
    Ok(match event_type {
        "GameStarted" => {
            let GameStarted {
                player_one,
                player_two,
            } = object::<GameStarted<PlayerName>>(data)?;
            GameEvent::GameStarted {
                player_one,
                player_two,
            }
        }
        "MoveMade" => {
            let MoveMade { player, column } = object(data)?;
            GameEvent::MoveMade { player, column }
        }
        "GameFinished" => {
            let GameFinished { result } = object(data)?;
            GameEvent::GameFinished { result }
        }
        other => return Err(DecodeError::UnknownType(other.to_owned())),
    })
}

/// Decodes a JSON object. The derived code alone would also accept an array of the values.
fn object<'json, T: Deserialize<'json>>(data: &'json [u8]) -> Result<T, serde_json::Error> {
    if data.trim_ascii_start().starts_with(b"[") {
        return Err(Error::custom("expected a JSON object, found an array"));
    }
    serde_json::from_slice(data)
}

/// Decodes a variant of an enum. The derived code alone would also accept `{"D": null}` for `"D"`.
fn word<'json, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'json>,
    T: Deserialize<'json>,
{
    let word = String::deserialize(deserializer)?;
    T::deserialize(word.into_deserializer())
}
