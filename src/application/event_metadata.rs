//! The metadata that is stored with the events of a command.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::command_options::CommandOptions;
use super::resignation;
use crate::domain::Command;

/// The metadata of the request; for a resignation also the reason and the player, and for the start of a protected
/// game the hashes of the tokens.
pub(super) fn event_metadata(command: &Command, options: &CommandOptions) -> Bytes {
    let mut metadata = Map::new();
    match (command, &options.seats) {
        (Command::Resign(resign), _) => resignation::add_to(&mut metadata, resign),
        (Command::StartGame(_), Some(seats)) => seats.add_to(&mut metadata),
        (Command::StartGame(_), None) | (Command::MakeMove(_), _) => {
            return options.metadata.clone();
        }
    }
    if let Ok(Value::Object(of_request)) = serde_json::from_slice(&options.metadata) {
        metadata.extend(of_request);
    }
    Value::Object(metadata).to_string().into()
}
