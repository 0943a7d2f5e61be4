//! An event to append, and an event that was recorded.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::revision::{GlobalPosition, StreamName, StreamRevision};

/// An event to append. The store keeps data and metadata byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Identifies the event, so that a repeated append is recognised. The caller chooses the id
    /// and uses the same one for every attempt. A store never generates one.
    pub id: Uuid,
    /// The name of the event's type; not empty.
    pub event_type: Cow<'static, str>,
    /// JSON.
    pub data: Bytes,
    /// JSON, or empty.
    pub metadata: Bytes,
}

/// An event that is stored in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The id that it was appended with.
    pub id: Uuid,
    /// The stream that it belongs to.
    pub stream: StreamName,
    /// Its place in that stream.
    pub revision: StreamRevision,
    /// Its place among all events of the store.
    pub position: GlobalPosition,
    /// The name of its type. It can be any name, because other programs may write to the same
    /// database.
    pub event_type: Cow<'static, str>,
    /// What happened, by convention as JSON.
    pub data: Bytes,
    /// Additional information, by convention as JSON; may be empty.
    pub metadata: Bytes,
    /// When the store recorded it, by the store's clock.
    pub recorded_at: DateTime<Utc>,
}
