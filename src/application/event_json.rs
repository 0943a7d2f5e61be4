//! The JSON of events as they are stored: the tutorial's, to the byte of its members, so that
//! both programs can share a database.

use bytes::Bytes;
use serde::de::{Error, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::{Column, GameEvent, GameResult, PlayerName};

#[derive(Serialize, Deserialize)]
struct GameStarted<Name> {
    player_one: Name,
    player_two: Name,
}

#[derive(Serialize, Deserialize)]
struct MoveMade<Name> {
    player: Name,
    #[serde(deserialize_with = "word")]
    column: Column,
}

#[derive(Serialize, Deserialize)]
struct GameFinished {
    #[serde(deserialize_with = "word")]
    result: GameResult,
}

/// The event's type and its data, as they are stored.
pub fn encode(event: &GameEvent) -> (&'static str, Bytes) {
    fn json(data: impl Serialize) -> Bytes {
        serde_json::to_vec(&data)
            .expect("names, columns and results have a JSON form")
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
        GameEvent::MoveMade { player, column } => (
            "MoveMade",
            json(MoveMade {
                player,
                column: *column,
            }),
        ),
        GameEvent::GameFinished { result } => {
            ("GameFinished", json(GameFinished { result: *result }))
        }
    }
}

/// Why a stored event is none of a game's.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A type that games do not have.
    #[error("unknown event type {0:?}")]
    UnknownType(String),
    /// Data that is not what events of this type hold.
    #[error("undecodable data: {0}")]
    Data(#[from] serde_json::Error),
}

/// The event that was stored with this type and data. Members that are not known are passed
/// over, as the tutorial's reader does.
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
            let MoveMade { player, column } = object::<MoveMade<PlayerName>>(data)?;
            GameEvent::MoveMade { player, column }
        }
        "GameFinished" => {
            let GameFinished { result } = object(data)?;
            GameEvent::GameFinished { result }
        }
        other => return Err(DecodeError::UnknownType(other.to_owned())),
    })
}

/// What a JSON object holds. The derived code alone would take an array of the members, too.
fn object<'json, T: Deserialize<'json>>(data: &'json [u8]) -> Result<T, serde_json::Error> {
    if data.trim_ascii_start().starts_with(b"[") {
        return Err(Error::custom("an array is no event"));
    }
    serde_json::from_slice(data)
}

/// One of an enum's words. The derived code alone would take `{"D": null}` for `"D"`, too.
fn word<'json, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'json>,
    T: Deserialize<'json>,
{
    let word = String::deserialize(deserializer)?;
    T::deserialize(word.into_deserializer())
}
