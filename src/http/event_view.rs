//! The JSON of recorded events, the same in pages, streams and problems.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::Value;
use uuid::Uuid;

use crate::application::HistoricEvent;
use crate::event_store::RecordedEvent;

/// A recorded event.
#[derive(Debug, Serialize)]
pub(super) struct EventView<'a> {
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
    pub(super) fn of(historic: &'a HistoricEvent) -> EventView<'a> {
        EventView::recorded(&historic.recorded)
    }

    /// The event as it was stored, its JSON without insignificant white space. Absent
    /// metadata is an empty object; metadata that is no JSON is null.
    pub(super) fn recorded(recorded: &'a RecordedEvent) -> EventView<'a> {
        let metadata = match &recorded.metadata[..] {
            b"" => Value::Object(serde_json::Map::new()),
            json => serde_json::from_slice(json).unwrap_or_default(),
        };
        EventView {
            id: recorded.id,
            revision: recorded.revision.number(),
            event_type: &recorded.event_type,
            data: serde_json::from_slice(&recorded.data).unwrap_or_default(),
            recorded_at: recorded.recorded_at,
            metadata,
        }
    }
}

/// Some consecutive events of a game.
#[derive(Debug, Serialize)]
pub(super) struct EventsView<'a> {
    /// The revision that the game is at.
    pub(super) revision: u64,
    /// In order.
    pub(super) events: Vec<EventView<'a>>,
    /// Where to go on; null at the end.
    pub(super) next: Option<String>,
}

fn rfc3339<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}
