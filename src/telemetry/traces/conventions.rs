//! Renames spans and their attributes as the semantic conventions of OpenTelemetry say. Done when a span is
//! exported, because the same names would appear in every log line.

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

pub(super) const STATUS: &str = "http.response.status_code";
const ERROR: &str = "error.type";

/// The span of a request becomes a server's span with a name such as `POST /games/{id}/moves`. A span is
/// marked as failed if its status is 5xx or if it has an `error.type`.
pub(super) fn by_conventions(mut span: SpanData) -> SpanData {
    if span.name == "request" {
        span.span_kind = SpanKind::Server;
        span.name = request_name(&span.attributes).into();
        for attribute in &mut span.attributes {
            attribute.key = match attribute.key.as_str() {
                "id" => Key::from_static_str("connect_four.request.id"),
                "method" => Key::from_static_str("http.request.method"),
                "route" => Key::from_static_str("http.route"),
                _ => continue,
            };
        }
        if let Some(Value::I64(status @ 500..)) = value(&span.attributes, STATUS) {
            span.attributes
                .push(KeyValue::new(ERROR, status.to_string()));
        }
    }
    if span.status == Status::Unset
        && let Some(error) = value(&span.attributes, ERROR)
    {
        span.status = Status::error(error.to_string());
    }
    span
}

/// A request without a route is named by its method alone, because its path can be anything.
fn request_name(attributes: &[KeyValue]) -> String {
    let text = |key| value(attributes, key).map_or_else(String::new, ToString::to_string);
    let method = text("method");
    match text("route").as_str() {
        "none" => method,
        route => format!("{method} {route}"),
    }
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let found = attributes.iter().find(|found| found.key.as_str() == key);
    found.map(|found| &found.value)
}
