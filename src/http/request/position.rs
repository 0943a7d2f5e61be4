//! `Event-Position`: how far the events of the whole store had come. Answers to writes say which
//! event was theirs, lists up to which one they tell, and a client may give either back.

use axum::http::{HeaderName, HeaderValue};

use crate::event_store::GlobalPosition;

pub(crate) const EVENT_POSITION: HeaderName = HeaderName::from_static("event-position");

/// The position that a client names as it was told.
pub(crate) fn parse_position(text: &str) -> Option<GlobalPosition> {
    // Parsers of numbers take a plus sign.
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    text.parse().ok().filter(|_| text.bytes().all(is_plain))
}

/// The header field that says so; none of a store without events.
pub(crate) fn event_position(
    position: Option<GlobalPosition>,
) -> Option<(HeaderName, HeaderValue)> {
    let text = position?.to_string();
    let value = HeaderValue::try_from(text).expect("digits and a dash are a header value");
    Some((EVENT_POSITION, value))
}
