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

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The value of `Last-Event-ID`: the id of the last event that the client has. An empty one counts as absent, as
/// in the HTML standard. An error if it is given twice or is not text.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<&str>, InvalidLastEventId> {
    let mut fields = headers.get_all(LAST_EVENT_ID).iter();
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    match (field.to_str(), fields.next()) {
        (Ok(""), None) => Ok(None),
        (Ok(text), None) => Ok(Some(text)),
        (Ok(_), Some(_)) | (Err(_), _) => Err(InvalidLastEventId),
    }
}

/// `Last-Event-ID` is given twice or is not text.
#[derive(Debug)]
pub(crate) struct InvalidLastEventId;

/// The revision in `Last-Event-ID`. It takes precedence over `after`, because a browser reconnects with the
/// original URL.
pub(crate) fn last_revision(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let invalid = || {
        Problem::new(
            ProblemType::InvalidLastEventId,
            "Last-Event-ID must be the id of an event of this stream, which is its revision: a \
             number such as 4. Leave it out to begin with the first event.",
        )
        .with("header", "Last-Event-ID")
    };
    let Some(text) = last_event_id(headers).map_err(|_| invalid())? else {
        return Ok(None);
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let revision = text.parse().ok().filter(|_| is_number);
    revision.map(Some).ok_or_else(invalid)
}
