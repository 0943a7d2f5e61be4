//! The JSON of recorded events, the same in pages, streams and problems.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::Value;
use uuid::Uuid;

use crate::application::{GameId, HistoricEvent, Seats, upcast};
use crate::event_store::RecordedEvent;

/// A recorded event.
#[derive(Debug, Serialize)]
pub(crate) struct EventView<'a> {
    id: Uuid,
    revision: u64,
    #[serde(rename = "type")]
    event_type: &'a str,
    data: Value,
    #[serde(serialize_with = "rfc3339")]
    recorded_at: DateTime<Utc>,
    metadata: Value,
}

impl<'a> EventView<'a> {
    /// The event of a history.
    pub(crate) fn of(historic: &'a HistoricEvent) -> EventView<'a> {
        EventView::recorded(&historic.recorded)
    }

    /// The stored event. Its JSON has no insignificant white space. Absent metadata is an empty object, and
    /// metadata that is not JSON is null. The hashes of player tokens are left out, and so is the
    /// time that a copied event carries: it is the `recorded_at`.
    pub(crate) fn recorded(recorded: &'a RecordedEvent) -> EventView<'a> {
        let mut metadata = match &recorded.metadata[..] {
            b"" => Value::Object(serde_json::Map::new()),
            json => serde_json::from_slice(json).unwrap_or_default(),
        };
        Seats::remove_from(&mut metadata);
        upcast::remove_from(&mut metadata);
        EventView {
            id: recorded.id,
            revision: recorded.revision.number(),
            event_type: &recorded.event_type,
            data: serde_json::from_slice(&recorded.data).unwrap_or_default(),
            recorded_at: upcast::recorded_at(recorded),
            metadata,
        }
    }
}

/// A recorded event among those of all games.
#[derive(Debug, Serialize)]
pub(crate) struct PlacedEventView<'a> {
    /// The position to continue after.
    position: String,
    /// Null if the stream's name has the prefix of games, but not the id of a game.
    game_id: Option<String>,
    #[serde(flatten)]
    event: EventView<'a>,
}

impl<'a> PlacedEventView<'a> {
    /// The stored event, of any type.
    pub(crate) fn of(recorded: &'a RecordedEvent) -> PlacedEventView<'a> {
        PlacedEventView {
            position: recorded.position.to_string(),
            game_id: GameId::of_stream(&recorded.stream).map(|id| id.to_string()),
            event: EventView::recorded(recorded),
        }
    }
}

/// Some consecutive events of all games.
#[derive(Debug, Serialize)]
pub(crate) struct PlacedEventsView<'a> {
    /// In order.
    pub(crate) events: Vec<PlacedEventView<'a>>,
    /// The URL of the next page; null on the last page.
    pub(crate) next: Option<String>,
}

/// Some consecutive events of a game.
#[derive(Debug, Serialize)]
pub(crate) struct EventsView<'a> {
    /// The current revision of the game.
    pub(crate) revision: u64,
    /// In order.
    pub(crate) events: Vec<EventView<'a>>,
    /// The URL of the next page; null on the last page.
    pub(crate) next: Option<String>,
}

pub(crate) fn rfc3339<S: Serializer>(
    time: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}
