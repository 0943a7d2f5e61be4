//! What the service counts and times, for Prometheus.
//!
//! One [`Metrics`] a service, handed to whoever counts. Nothing is global, so services that run
//! side by side in one process, as tests do, do not see each other.

mod measured_store;
mod outage_log;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use measured_store::MeasuredStore;
pub use outage_log::OutageLog;

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the store's call times, in seconds: from a read that memory answers to the
/// longest that a handler waits.
const CALL_SECONDS: [f64; 12] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 5.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MoveLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
    outcome: &'static str,
}

/// How a read model is doing.
#[derive(Debug, Clone, Copy)]
pub struct ReadModelFigures {
    /// The age of the oldest event that is not visible in it, or the time since the store last
    /// answered.
    pub lag: Duration,
    /// Events applied since the start.
    pub events_applied: u64,
    /// Streams that no game explains.
    pub unreadable_streams: u64,
    /// Whether it has caught up and the store answers.
    pub has_caught_up: bool,
}

/// Counters and timers. Clones share them, and are cheap: there are several a request.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Registered>);

#[derive(Debug)]
struct Registered {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    moves: Family<MoveLabels, Counter>,
    replays: Counter,
    conflicts: Counter,
    live_watchers: Gauge,
    read_model_lag: Gauge<f64, AtomicU64>,
    read_model_events: Counter,
    read_model_unreadable: Gauge,
    read_model_caught_up: Gauge,
    log_lines_lost: Counter,
    store_calls: Family<CallLabels, Histogram, fn() -> Histogram>,
}

impl Default for Registered {
    fn default() -> Registered {
        let call_times: fn() -> Histogram = || Histogram::new(CALL_SECONDS);
        let mut metrics = Registered {
            registry: Registry::default(),
            requests: Family::default(),
            moves: Family::default(),
            replays: Counter::default(),
            conflicts: Counter::default(),
            live_watchers: Gauge::default(),
            read_model_lag: Gauge::default(),
            read_model_events: Counter::default(),
            read_model_unreadable: Gauge::default(),
            read_model_caught_up: Gauge::default(),
            log_lines_lost: Counter::default(),
            store_calls: Family::new_with_constructor(call_times),
        };
        let mut registry = Registry::with_prefix("connect_four");
        registry.register(
            "http_requests",
            "Requests answered, by route",
            metrics.requests.clone(),
        );
        registry.register(
            "moves",
            "Moves that clients sent: accepted, or the slug of the problem",
            metrics.moves.clone(),
        );
        registry.register(
            "replays",
            "Commands that were recognised as sent before",
            metrics.replays.clone(),
        );
        registry.register(
            "append_conflicts",
            "Appends that found their stream elsewhere",
            metrics.conflicts.clone(),
        );
        registry.register(
            "live_watchers",
            "Clients that wait for a game's next event",
            metrics.live_watchers.clone(),
        );
        registry.register(
            "read_model_lag_seconds",
            "Age of the oldest event that lists do not show yet, or time since the store last answered",
            metrics.read_model_lag.clone(),
        );
        registry.register(
            "read_model_events",
            "Events that the read model applied since the start",
            metrics.read_model_events.clone(),
        );
        registry.register(
            "read_model_unreadable_streams",
            "Streams that no game explains, which lists leave out",
            metrics.read_model_unreadable.clone(),
        );
        registry.register(
            "read_model_caught_up",
            "Whether the read model has caught up and the store answers: 1, or 0",
            metrics.read_model_caught_up.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Log lines that standard output did not take",
            metrics.log_lines_lost.clone(),
        );
        registry.register(
            "store_call_seconds",
            "Time of the event store's calls",
            metrics.store_calls.clone(),
        );
        metrics.registry = registry;
        metrics
    }
}

impl Metrics {
    /// Counts an answer. The route is a template such as `/games/{id}`, so that there are as
    /// many series as routes, whatever clients ask for.
    pub fn answered(&self, method: &str, route: &str, status: u16) {
        let labels = RequestLabels {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        self.0.requests.get_or_create(&labels).inc();
    }

    /// Counts a move that a client sent: `accepted`, or the slug of what it was told instead.
    pub fn moved(&self, outcome: &'static str) {
        self.0.moves.get_or_create(&MoveLabels { outcome }).inc();
    }

    /// Counts a command that was answered as it had been before.
    pub fn replayed(&self) {
        self.0.replays.inc();
    }

    fn called(&self, call: &'static str, outcome: &'static str, took: Duration) {
        let labels = CallLabels { call, outcome };
        self.0
            .store_calls
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    fn conflicted(&self) {
        self.0.conflicts.inc();
    }

    /// Sets how many log lines were lost since the start.
    pub fn lost_log_lines(&self, lines: u64) {
        // Only ever raised, as a counter has to be.
        let counter = self.0.log_lines_lost.inner();
        counter.fetch_max(lines, Ordering::Relaxed);
    }

    /// All of it as `OpenMetrics` text, which Prometheus reads, with as many watchers of games
    /// as there are now, and the read model as it is now.
    pub fn render(&self, live_watchers: usize, read_model: ReadModelFigures) -> String {
        let gauge = |figure| i64::try_from(figure).unwrap_or(i64::MAX);
        self.0.live_watchers.set(gauge(live_watchers as u64));
        self.0.read_model_lag.set(read_model.lag.as_secs_f64());
        // Only ever raised: the model counts from the start, as this does.
        self.0
            .read_model_events
            .inner()
            .fetch_max(read_model.events_applied, Ordering::Relaxed);
        self.0
            .read_model_unreadable
            .set(gauge(read_model.unreadable_streams));
        self.0
            .read_model_caught_up
            .set(i64::from(read_model.has_caught_up));
        let mut rendered = String::new();
        // Writing to a string does not fail; a metric that cannot be encoded is left out.
        if let Err(error) = text::encode(&mut rendered, &self.0.registry) {
            tracing::error!(%error, "metrics could not be encoded");
        }
        rendered
    }
}
