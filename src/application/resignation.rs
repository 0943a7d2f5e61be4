//! How a resignation is stored: as a `GameFinished` event, since the tutorial's reader knows no other
//! event that ends a game. The event's metadata contains the reason and the player who resigned.

use serde_json::{Map, Value};

use crate::domain::{PlayerName, Resign};
use crate::event_store::RecordedEvent;

const REASON: &str = "reason";
const RESIGNATION: &str = "resignation";
const PLAYER: &str = "player";

/// Adds the reason and the player to the metadata of a resignation.
pub(super) fn add_to(metadata: &mut Map<String, Value>, resign: &Resign) {
    metadata.insert(REASON.to_owned(), RESIGNATION.into());
    metadata.insert(PLAYER.to_owned(), resign.player.as_str().into());
}

/// The player who resigned with this event; `None` if the event is not a resignation.
pub fn resigned_by(recorded: &RecordedEvent) -> Option<PlayerName> {
    if recorded.event_type != "GameFinished" || recorded.metadata.is_empty() {
        return None;
    }
    let metadata: Value = serde_json::from_slice(&recorded.metadata).ok()?;
    let is_resignation = metadata[REASON] == RESIGNATION;
    let player = metadata[PLAYER].as_str().filter(|_| is_resignation)?;
    Some(PlayerName::recorded(player))
}
