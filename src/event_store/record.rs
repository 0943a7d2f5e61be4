//! Events on their way into a stream, and as they come out of it.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::revision::{GlobalPosition, StreamName, StreamRevision};

/// An event to append. Data and metadata are kept byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What an append is recognised by when it comes again. The caller chooses it, once for
    /// all attempts; a store never makes one up.
    pub id: Uuid,
    /// The name of the event's type; not empty.
    pub event_type: &'static str,
    /// JSON.
    pub data: Bytes,
    /// JSON, or nothing at all.
    pub metadata: Bytes,
}

/// An event of a stream.
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
    /// The name of its type; any, since other programs may write to the same database.
    pub event_type: Cow<'static, str>,
    /// What happened, by convention as JSON.
    pub data: Bytes,
    /// What is known about it besides; may be empty.
    pub metadata: Bytes,
    /// When the store took it in, by the store's clock.
    pub recorded_at: DateTime<Utc>,
}
