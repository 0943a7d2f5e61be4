//! `Event-Position`: a position in the order of all events of the store. The response to a write has the
//! position of its last event, and a list has the position of the last event that it includes. A client can
//! send either back.

use axum::http::{HeaderName, HeaderValue};

use crate::event_store::GlobalPosition;

pub(crate) const EVENT_POSITION: HeaderName = HeaderName::from_static("event-position");

/// A position in exactly the form that [`event_position`] writes.
pub(crate) fn parse_position(text: &str) -> Option<GlobalPosition> {
    // Number parsers accept a plus sign.
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    text.parse().ok().filter(|_| text.bytes().all(is_plain))
}

/// The header field with this position; `None` for a store without events.
pub(crate) fn event_position(
    position: Option<GlobalPosition>,
) -> Option<(HeaderName, HeaderValue)> {
    let text = position?.text();
    let value = HeaderValue::try_from(text).expect("digits and a dash are a header value");
    Some((EVENT_POSITION, value))
}
