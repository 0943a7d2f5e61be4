//! Whether the client asks for a page or a stream of events, and after which event.

use crate::http::problem::ProblemType;

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, HeaderName};
use mediatype::names::{APPLICATION, EVENT_STREAM, TEXT};
use mediatype::{MediaType, Name};

use crate::http::problem::Problem;
use crate::http::request::accept::{APPLICATION_JSON, negotiate};
use crate::http::response::event_stream::Format;
use axum::http::request::Parts;

/// The default number of events on a page.
pub(crate) const PAGE: u64 = 20;

/// The most events on a page.
pub(crate) const LARGEST_PAGE: u64 = 100;

/// The form in which the client wants the events.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EventsAs {
    Page,
    Stream(Format),
}

/// Negotiated by `Accept`. A client that accepts anything gets a page, because a page ends.
impl<S: Send + Sync> FromRequestParts<S> for EventsAs {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        const SERVER_SENT: MediaType<'static> = MediaType::new(TEXT, EVENT_STREAM);
        const LINES: MediaType<'static> =
            MediaType::new(APPLICATION, Name::new_unchecked("x-ndjson"));
        negotiate(
            &head.headers,
            [
                (APPLICATION_JSON, EventsAs::Page),
                (SERVER_SENT, EventsAs::Stream(Format::ServerSent)),
                (LINES, EventsAs::Stream(Format::Lines)),
            ],
        )
    }
}

pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The revision in `Last-Event-ID`: the last event that the client has. It takes precedence over `after`,
/// because a browser reconnects with the original URL.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
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
            "Last-Event-ID must be the id of an event of this stream, which is its revision: a \
             number such as 4. Leave it out to begin with the first event.",
        )
        .with("header", "Last-Event-ID")),
    }
}
