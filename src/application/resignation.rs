//! How a resignation is stored: as a `GameFinished` like any other, since the tutorial's reader
//! knows no other end; that and by whom the game was given up stands in its metadata.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::domain::{Command, PlayerName};
use crate::event_store::RecordedEvent;

const REASON: &str = "reason";
const RESIGNATION: &str = "resignation";
const PLAYER: &str = "player";

/// The metadata of the events of this command: what is known of the request, and of a
/// resignation who resigned.
pub(super) fn metadata(command: &Command, of_request: &Bytes) -> Bytes {
    let Command::Resign(resign) = command else {
        return of_request.clone();
    };
    let mut metadata = Map::new();
    metadata.insert(REASON.to_owned(), RESIGNATION.into());
    metadata.insert(PLAYER.to_owned(), resign.player.as_str().into());
    if let Ok(Value::Object(known)) = serde_json::from_slice(of_request) {
        metadata.extend(known);
    }
    Value::Object(metadata).to_string().into()
}

/// Who gave the game up with this event; `None` when it ended otherwise, or not at all.
pub fn resigned_by(recorded: &RecordedEvent) -> Option<PlayerName> {
    if recorded.event_type != "GameFinished" || recorded.metadata.is_empty() {
        return None;
    }
    let metadata: Value = serde_json::from_slice(&recorded.metadata).ok()?;
    let is_resignation = metadata[REASON] == RESIGNATION;
    let player = metadata[PLAYER].as_str().filter(|_| is_resignation)?;
    Some(PlayerName::recorded(player))
}
