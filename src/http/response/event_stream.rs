//! Events as bytes: server-sent events and NDJSON.

use std::fmt::Display;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;

use super::event_view::{EventView, PlacedEventView};
use crate::event_store::RecordedEvent;
use crate::live::Rendered;

/// Read by nginx, which would otherwise hold events back until a buffer is full.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// How long a stream is silent at the most, so that nobody in between takes it for dead.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How the events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `text/event-stream`
    ServerSent,
    /// `application/x-ndjson`
    Lines,
}

impl Format {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Format::ServerSent => "text/event-stream",
            Format::Lines => "application/x-ndjson",
        })
    }

    pub(crate) fn opening(self) -> &'static [u8] {
        match self {
            // Milliseconds until a client that lost its connection comes again.
            Format::ServerSent => b"retry: 2000\n\n",
            Format::Lines => b"",
        }
    }

    pub(crate) fn keep_alive(self) -> Bytes {
        Bytes::from_static(match self {
            Format::ServerSent => b":\n\n",
            Format::Lines => b"\n",
        })
    }

    pub(crate) fn bytes(self, rendered: &Rendered) -> &Bytes {
        match self {
            Format::ServerSent => &rendered.server_sent,
            Format::Lines => &rendered.line,
        }
    }
}

/// The bytes of an event of a game, in both formats.
pub(crate) fn render(recorded: &RecordedEvent) -> Rendered {
    let view = EventView::recorded(recorded);
    rendered(recorded.revision, &recorded.event_type, view)
}

/// The bytes of an event in both formats: the line lies within the other.
pub(crate) fn rendered(id: impl Display, event_type: &str, view: impl Serialize) -> Rendered {
    let mut bytes = format!("id: {id}\n").into_bytes();
    // Other programs name types as they like, and a line break would end the field.
    if !event_type.contains(char::is_control) {
        bytes.extend(format!("event: {event_type}\n").into_bytes());
    }
    bytes.extend(b"data: ");
    let line = bytes.len();
    serde_json::to_writer(&mut bytes, &view).expect("an event's view has a JSON form");
    bytes.extend(b"\n\n");
    let server_sent = Bytes::from(bytes);
    Rendered {
        line: server_sent.slice(line..server_sent.len() - 1),
        server_sent,
    }
}

/// The answer that is a stream.
pub(crate) fn opened(format: Format, body: Body) -> Response {
    let mut response = Response::new(body);
    // No `Vary`, since nothing of this is stored: with one more field hyper would keep a larger
    // map for each connection.
    response.headers_mut().extend([
        (CONTENT_TYPE, format.content_type()),
        (CACHE_CONTROL, NO_STORE),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ]);
    response
}

/// The bytes of an event among those of all games, in both formats.
pub(crate) fn render_in_store_order(recorded: &RecordedEvent) -> Rendered {
    let view = PlacedEventView::of(recorded);
    rendered(recorded.position, &recorded.event_type, view)
}
