//! Takes the place of `traces` when the program is compiled without the feature `otlp`. Does nothing.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use tracing::Span;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// No traces.
#[derive(Debug)]
pub struct Traces(());

/// Never happens.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {}

impl Traces {
    /// No traces, whatever the environment says.
    pub fn from_environment() -> Result<Traces, TracesError> {
        Ok(Traces(()))
    }

    pub(super) fn install<L>(&self, lines: L, filter: EnvFilter)
    where
        L: Layer<Registry> + Send + Sync,
    {
        tracing_subscriber::registry()
            .with(lines)
            .with(filter)
            .init();
    }

    /// Returns at once.
    pub async fn flush(self, _limit: Duration) {}
}

/// Never a trace.
pub(crate) struct ClientTrace(());

impl ClientTrace {
    pub(crate) fn of(_headers: &HeaderMap) -> ClientTrace {
        ClientTrace(())
    }

    pub(crate) fn continue_in(self, _request: &Span) {}
}

pub(crate) fn trace_status(_request: &Span, _status: StatusCode) {}

pub(crate) fn store_call<T, E, F>(_call: &'static str, _name: fn(&E) -> &'static str, work: F) -> F
where
    F: Future<Output = Result<T, E>>,
{
    work
}
