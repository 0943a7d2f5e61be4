//! Event metadata: the request and the trace that caused an event.

use axum::http::{HeaderMap, HeaderName};
use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;

use super::request_id::RequestId;
use axum::http::request::Parts;

pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The metadata of the events that this request causes, if the client sent a `traceparent` (W3C Trace Context)
/// or a request id of its own. Otherwise empty, as in the tutorial.
///
/// The keys are KurrentDB's. `$correlationId` is the trace id, or the request id if there is no trace.
/// `$causationId` is the request id, which is also in the log.
pub(crate) fn event_metadata(head: &Parts) -> Bytes {
    let Some(request) = head.extensions.get::<RequestId>() else {
        return Bytes::new();
    };
    let trace = trace_id(&head.headers);
    if trace.is_none() && !request.is_clients_own {
        return Bytes::new();
    }
    let mut metadata = json!({
        "$correlationId": trace.map_or(request.id, |(_, id)| id),
        "$causationId": request.id,
    });
    if let Some((traceparent, _)) = trace {
        metadata["traceparent"] = traceparent.into();
    }
    metadata.to_string().into()
}

/// The unchanged field, and the trace id, which has 16 bytes like a UUID. A field that is not valid counts as
/// absent, and so does one that is given twice (Trace Context, 3.2.2). A later version begins like version 00, and
/// may continue after another dash.
fn trace_id(headers: &HeaderMap) -> Option<(&str, Uuid)> {
    let mut fields = headers.get_all(TRACEPARENT).iter();
    let field = fields.next()?.to_str().ok()?;
    let mut parts = field.splitn(5, '-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, digits: usize| {
        let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        text.len() == digits && text.bytes().all(lower)
    };
    let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let ends = version != "00" || parts.next().is_none();
    let is_valid = is_hex(version, 2)
        && version != "ff"
        && is_hex(trace, 32)
        && !is_zero(trace)
        && is_hex(parent, 16)
        && !is_zero(parent)
        && is_hex(flags, 2)
        && ends
        && fields.next().is_none();
    let id = Uuid::try_parse(trace).ok()?;
    is_valid.then_some((field, id))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_malformed_traceparent_counts_as_absent() {
        let id_of = |field: &str| {
            let value = HeaderValue::try_from(field).expect("a header value");
            let headers = HeaderMap::from_iter([(TRACEPARENT, value)]);
            trace_id(&headers).map(|(_, id)| id.to_string())
        };
        assert_eq!(
            id_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").as_deref(),
            Some("4bf92f35-77b3-4da6-a3ce-929d0e0e4736")
        );
        for field in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(id_of(field), None, "{field:?}");
        }
    }
}
