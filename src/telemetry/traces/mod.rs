//! Exports the spans of requests to an OpenTelemetry collector, with OTLP over HTTP.

mod collector;
mod conventions;

use std::thread;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::field::Empty;
use tracing::{Instrument, Level, Metadata, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

pub use collector::TracesError;

/// The target of spans that are exported and do not appear in log lines.
const STORE_CALLS: &str = "connect_four::store_calls";

/// The export of traces.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Exports traces if the environment names a collector. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The environment asks for something that the service cannot do.
    pub fn from_environment() -> Result<Traces, TracesError> {
        Ok(Traces(collector::from_environment()?))
    }

    /// Spans are exported whatever the filter of the log says: with `warn`, the line of a request is
    /// left out, and its span is not.
    pub(super) fn install<L>(&self, lines: L, filter: EnvFilter)
    where
        L: Layer<Registry> + Send + Sync,
    {
        let Some(provider) = &self.0 else {
            let registry = tracing_subscriber::registry();
            return registry.with(lines).with(filter).init();
        };
        let lines =
            lines.with_filter(filter.and(filter_fn(|metadata| metadata.target() != STORE_CALLS)));
        let spans = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("connect-four"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_exported).with_max_level_hint(LevelFilter::INFO));
        tracing_subscriber::registry()
            .with(lines)
            .with(spans)
            .init();
    }

    /// Exports the spans that are waiting, but waits no longer than `limit`.
    pub async fn flush(self, limit: Duration) {
        let Some(provider) = self.0 else { return };
        let (sender, exported) = oneshot::channel();
        // A thread outside the runtime, because the call blocks while the collector does not answer, and
        // the runtime would wait for its own threads.
        let started = thread::Builder::new().spawn(move || sender.send(provider.shutdown()));
        if started.is_err() || !matches!(timeout(limit, exported).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the last traces could not be exported");
        }
    }
}

/// This service's spans, and what went wrong within them.
fn is_exported(metadata: &Metadata<'_>) -> bool {
    let least = match metadata.is_span() {
        true => Level::INFO,
        false => Level::WARN,
    };
    metadata.target().starts_with("connect_four") && *metadata.level() <= least
}

/// The trace of the client that sent a request, if it sent a `traceparent`.
pub(crate) struct ClientTrace(Option<Context>);

impl ClientTrace {
    /// A field that is given twice counts as absent, as in the metadata of events.
    pub(crate) fn of(headers: &HeaderMap) -> ClientTrace {
        if headers.get_all("traceparent").iter().count() != 1 {
            return ClientTrace(None);
        }
        let propagator = TraceContextPropagator::new();
        let trace = propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers));
        ClientTrace(Some(trace).filter(Context::has_active_span))
    }

    /// Makes the span of the request part of this trace.
    pub(crate) fn continue_in(self, request: &Span) {
        if let Some(trace) = self.0 {
            request.set_parent(trace);
        }
    }
}

/// Records the answer's status in the span of the request.
pub(crate) fn trace_status(request: &Span, status: StatusCode) {
    request.set_attribute(conventions::STATUS, i64::from(status.as_u16()));
}

/// Gives a call to the event store within a request its own span. Other calls get none: they would be traces
/// of one span. `name` is the name of an error.
pub(crate) async fn store_call<T, E>(
    call: &'static str,
    name: fn(&E) -> &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    if Span::current().is_disabled() {
        return work.await;
    }
    let span = info_span!(
        target: STORE_CALLS,
        "store call",
        otel.name = call,
        otel.kind = "client",
        db.operation.name = call,
        error.r#type = Empty,
    );
    let outcome = work.instrument(span.clone()).await;
    if let Err(error) = &outcome {
        span.record("error.type", name(error));
    }
    outcome
}
