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

/// Turns off buffering in nginx, which would otherwise delay events until its buffer is full.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The longest time without bytes on a stream, so that proxies do not close it as idle.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The format of a stream.
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
            // Milliseconds until a client reconnects after a lost connection.
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

/// The bytes of an event in both formats. The NDJSON line is a slice of the server-sent event.
pub(crate) fn rendered(id: impl Display, event_type: &str, view: impl Serialize) -> Rendered {
    let mut bytes = format!("id: {id}\n").into_bytes();
    // Other programs may store any event type, and a line break in it would end the field.
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

/// The response that streams this body.
pub(crate) fn opened(format: Format, body: Body) -> Response {
    let mut response = Response::new(body);
    // No `Vary`, because a stream is not cached. One more field would make hyper keep a larger map for each
    // connection.
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
