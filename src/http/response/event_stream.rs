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

/// For streams. A proxy that compresses a response holds its events back until a block is full.
const UNCHANGED: HeaderValue = HeaderValue::from_static("no-store, no-transform");

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

    fn keep_alive(self) -> Bytes {
        Bytes::from_static(match self {
            // Without an empty line, which would end a block.
            Format::ServerSent => b":\n",
            Format::Lines => b"\n",
        })
    }

    fn bytes(self, rendered: &Rendered) -> &Bytes {
        match self {
            Format::ServerSent => &rendered.server_sent,
            Format::Lines => &rendered.line,
        }
    }
}

/// Milliseconds until a client of server-sent events reconnects after a lost connection.
const RETRY: &[u8] = b"retry: 2000\n";

/// Writes one stream. The first event begins with `retry`, which has no block of its own: some clients deliver a
/// block without data as an empty event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamWriter {
    format: Format,
    has_begun: bool,
}

impl StreamWriter {
    pub(crate) fn new(format: Format) -> StreamWriter {
        StreamWriter {
            format,
            has_begun: false,
        }
    }

    /// The bytes of the next event. All streams share them, except those of a first event.
    pub(crate) fn event(&mut self, rendered: &Rendered) -> Bytes {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let bytes = self.format.bytes(rendered);
        match self.format {
            Format::ServerSent if is_first => [RETRY, bytes].concat().into(),
            Format::ServerSent | Format::Lines => bytes.clone(),
        }
    }

    pub(crate) fn keep_alive(self) -> Bytes {
        self.format.keep_alive()
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
    let json = serde_json::to_string(&view).expect("an event's view has a JSON form");
    bytes.extend(in_one_line(json).into_bytes());
    bytes.extend(b"\n\n");
    let server_sent = Bytes::from(bytes);
    Rendered {
        line: server_sent.slice(line..server_sent.len() - 1),
        server_sent,
    }
}

/// Escapes the characters that JSON allows in a string, and at which many readers of lines split: next line, line
/// separator and paragraph separator.
fn in_one_line(json: String) -> String {
    const SEPARATORS: [(char, &str); 3] = [
        ('\u{85}', "\\u0085"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    SEPARATORS.iter().fold(json, |json, (separator, escaped)| {
        if json.contains(*separator) {
            json.replace(*separator, escaped)
        } else {
            json
        }
    })
}

/// The response that streams this body.
pub(crate) fn opened(format: Format, body: Body) -> Response {
    let mut response = Response::new(body);
    // No `Vary`, because a stream is not cached. One more field would make hyper keep a larger map for each
    // connection.
    response.headers_mut().extend([
        (CONTENT_TYPE, format.content_type()),
        (CACHE_CONTROL, UNCHANGED),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ]);
    response
}

/// The bytes of an event among those of all games, in both formats.
pub(crate) fn render_in_store_order(recorded: &RecordedEvent) -> Rendered {
    let view = PlacedEventView::of(recorded);
    rendered(recorded.position, &recorded.event_type, view)
}
