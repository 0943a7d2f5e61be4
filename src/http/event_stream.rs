//! `/games/{id}/events` as a stream that stays open: server-sent events (WHATWG HTML, 9.2),
//! or lines of JSON. It can be resumed after any revision, at any replica.

use std::fmt::Display;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::time::{Instant, Interval, interval_at};

use super::App;
use super::event_view::EventView;
use super::moves::stored_history;
use super::problem::Problem;
use super::problem_type::ProblemType;
use crate::application::GameId;
use crate::event_store::RecordedEvent;
use crate::live::{Following, Interrupted, Rendered, Then};

pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Read by nginx, which would otherwise hold events back until a buffer is full.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// How long a stream is silent at the most, so that nobody in between takes it for dead.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How the events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
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

    pub(super) fn opening(self) -> &'static [u8] {
        match self {
            // Milliseconds until a client that lost its connection comes again.
            Format::ServerSent => b"retry: 2000\n\n",
            Format::Lines => b"",
        }
    }

    pub(super) fn keep_alive(self) -> Bytes {
        Bytes::from_static(match self {
            Format::ServerSent => b":\n\n",
            Format::Lines => b"\n",
        })
    }

    pub(super) fn bytes(self, rendered: &Rendered) -> &Bytes {
        match self {
            Format::ServerSent => &rendered.server_sent,
            Format::Lines => &rendered.line,
        }
    }
}

/// The bytes of an event of a game, in both formats.
pub(super) fn render(recorded: &RecordedEvent) -> Rendered {
    let view = EventView::recorded(recorded);
    rendered(recorded.revision, &recorded.event_type, view)
}

/// The bytes of an event in both formats: the line lies within the other.
pub(super) fn rendered(id: impl Display, event_type: &str, view: impl Serialize) -> Rendered {
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

/// The revision that a client names as the last one it has. Stronger than the query: a
/// browser reconnects to the URL that it began with.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let mut fields = headers.get_all(LAST_EVENT_ID).iter();
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    let digits = field.to_str().ok().filter(|_| fields.next().is_none());
    let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.map(str::parse) {
        Some(Ok(revision)) => Ok(Some(revision)),
        Some(Err(_)) | None => Err(Problem::new(
            ProblemType::InvalidLastEventId,
            "Last-Event-ID is the id of an event of this stream, which is its revision: a \
             number such as 4. Leave it out to begin with the first event.",
        )
        .with("header", "Last-Event-ID")),
    }
}

/// The events of the game after this revision, or from the first one on, to its end. 204 when
/// none will ever follow: the one status at which a browser does not come again.
pub(super) async fn stream_events(
    app: &App,
    id: GameId,
    format: Format,
    after: Option<u64>,
) -> Result<Response, Problem> {
    // Before the stream is read, so that an event recorded in between is not missed.
    let watcher = app.live.watch(id).await;
    let (history, revision) = stored_history(app, id).await?;
    let is_finished = history
        .explained
        .last()
        .is_some_and(|last| last.game.result().is_some());
    if is_finished && after.is_some_and(|after| after >= revision.number()) {
        let mut nothing = Response::new(Body::empty());
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        nothing.headers_mut().insert(CACHE_CONTROL, NO_STORE);
        return Ok(nothing);
    }

    let mut opening = BytesMut::from(format.opening());
    for recorded in history.recorded() {
        if after.is_none_or(|after| recorded.revision.number() > after) {
            opening.put(format.bytes(&render(recorded)).as_ref());
        }
    }
    let opening = opening.freeze();
    let body = if is_finished {
        Body::from(opening)
    } else {
        let watching = Watching {
            following: watcher.after(revision),
            after,
            format,
            keep_alive: interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE),
        };
        let opening = stream::iter((!opening.is_empty()).then_some(Ok(opening)));
        Body::from_stream(opening.chain(watching.chunks()))
    };
    Ok(opened(format, body))
}

/// The answer that is a stream.
pub(super) fn opened(format: Format, body: Body) -> Response {
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

/// An open stream. There may be thousands, so that its size counts.
struct Watching {
    following: Following,
    /// What the client has, should it name a revision that is not there yet.
    after: Option<u64>,
    format: Format,
    keep_alive: Interval,
}

impl Watching {
    fn chunks(self) -> impl Stream<Item = Result<Bytes, Interrupted>> {
        stream::unfold(Some(self), async |watching| {
            let mut watching = watching?;
            match watching.next_chunk().await {
                Ok((chunk, Then::More | Then::Unknown)) => Some((Ok(chunk), Some(watching))),
                Ok((chunk, Then::TheEnd)) => Some((Ok(chunk), None)),
                Err(Interrupted::Stopped) => None,
                // Not an end, which would look like the game's.
                Err(Interrupted::Behind) => Some((Err(Interrupted::Behind), None)),
            }
        })
    }

    async fn next_chunk(&mut self) -> Result<(Bytes, Then), Interrupted> {
        loop {
            let event = tokio::select! {
                event = self.following.next() => event?,
                _ = self.keep_alive.tick() => {
                    return Ok((self.format.keep_alive(), Then::More));
                }
            };
            let is_new = self
                .after
                .is_none_or(|after| event.revision.number() > after);
            if is_new || event.then != Then::More {
                let chunk = self.format.bytes(&event.rendered);
                return Ok((chunk.clone(), event.then));
            }
        }
    }
}
