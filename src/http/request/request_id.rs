//! `X-Request-Id`: the id of a request in logs, events and problems.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::{NoContext, Timestamp, Uuid};

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, as a request extension.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestId {
    pub(crate) id: Uuid,
    /// Whether the client sent the id.
    pub(crate) is_clients_own: bool,
}

/// The client's id if it is a UUID, which a problem's `instance` needs; otherwise a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> (RequestId, HeaderValue) {
    let given = headers.get(X_REQUEST_ID);
    let parsed = given.and_then(|id| Uuid::try_parse_ascii(id.as_bytes()).ok());
    let (id, header) = match (parsed, given) {
        (Some(id), Some(given)) => (id, given.clone()),
        (_, _) => {
            // Without the counter of `now_v7`: the ids of one millisecond need no order.
            let id = Uuid::new_v7(Timestamp::now(NoContext));
            let mut text = Uuid::encode_buffer();
            let header = HeaderValue::from_str(id.hyphenated().encode_lower(&mut text));
            (id, header.expect("a UUID's text is a header value"))
        }
    };
    let is_clients_own = parsed.is_some();
    (RequestId { id, is_clients_own }, header)
}
