//! A collector: a server that takes OTLP over HTTP and decodes it. The messages are written down here once
//! more, from opentelemetry-proto's `trace.proto`, so that the exporter is not checked against itself.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, PartialEq, Message)]
struct ExportRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<SpanMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct SpanMessage {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start: u64,
    #[prost(fixed64, tag = "8")]
    end: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Kind", tags = "1, 2, 3")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Number(i64),
}

/// A span as a test looks at it: ids in hexadecimal, attributes as text.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    /// 2 is a server's span, and 3 a client's.
    pub(crate) kind: i32,
    pub(crate) nanoseconds: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) is_error: bool,
    /// The attributes of the service.
    pub(crate) resource: BTreeMap<String, String>,
    /// The header field `x-key` of the export.
    pub(crate) key: Option<String>,
}

/// A running collector.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: UnboundedReceiver<Span>,
}

impl Receiver {
    pub(crate) async fn start() -> Receiver {
        Receiver::start_at("http://127.0.0.1:0").await
    }

    pub(crate) async fn start_at(url: &str) -> Receiver {
        let (sender, received) = mpsc::unbounded_channel();
        let address = url.trim_start_matches("http://");
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let routes = Router::new().route("/v1/traces", post(export));
        let serving = axum::serve(listener, routes.with_state(sender));
        tokio::spawn(serving.into_future());
        Receiver {
            url: format!("http://{address}"),
            received,
        }
    }

    /// The next span for which this is so. The ones before it are dropped.
    pub(crate) async fn span(&mut self, is_meant: impl Fn(&Span) -> bool) -> Span {
        let next = timeout(PATIENCE, async {
            loop {
                let span = self.received.recv().await.expect("the collector runs");
                if is_meant(&span) {
                    return span;
                }
            }
        });
        next.await.expect("a span in time")
    }

    /// The spans that were received and not taken yet.
    pub(crate) fn rest(&mut self) -> Vec<Span> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

async fn export(
    State(received): State<UnboundedSender<Span>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let key = headers.get("x-key").and_then(|key| key.to_str().ok());
    let request = ExportRequest::decode(body).expect("an export");
    for of_resource in request.resource_spans {
        let resource = texts(of_resource.resource.unwrap_or_default().attributes);
        let spans = of_resource.scope_spans.into_iter();
        for span in spans.flat_map(|of_scope| of_scope.spans) {
            // An error means that the test has ended.
            let _ = received.send(Span {
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                kind: span.kind,
                nanoseconds: span.end - span.start,
                attributes: texts(span.attributes),
                is_error: span.status.is_some_and(|status| status.code == 2),
                resource: resource.clone(),
                key: key.map(str::to_owned),
            });
        }
    }
    StatusCode::OK
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |attribute: KeyValue| {
        let text = match attribute.value.unwrap_or_default().kind? {
            Kind::Text(text) => text,
            Kind::Bool(bool) => bool.to_string(),
            Kind::Number(number) => number.to_string(),
        };
        Some((attribute.key, text))
    };
    attributes.into_iter().filter_map(text).collect()
}
