//! What the service counts and times, for Prometheus.
//!
//! One [`Metrics`] a service, handed to whoever counts. Nothing is global, so services that run
//! side by side in one process, as tests do, do not see each other.

mod measured_store;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use measured_store::MeasuredStore;

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

/// Counters and timers. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    moves: Family<MoveLabels, Counter>,
    replays: Counter,
    conflicts: Counter,
    live_watchers: Gauge,
    store_calls: Family<CallLabels, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let call_times: fn() -> Histogram = || Histogram::new(CALL_SECONDS);
        let mut metrics = Metrics {
            registry: Arc::default(),
            requests: Family::default(),
            moves: Family::default(),
            replays: Counter::default(),
            conflicts: Counter::default(),
            live_watchers: Gauge::default(),
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
            "store_call_seconds",
            "Time of the event store's calls",
            metrics.store_calls.clone(),
        );
        metrics.registry = Arc::new(registry);
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
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a move that a client sent: `accepted`, or the slug of what it was told instead.
    pub fn moved(&self, outcome: &'static str) {
        self.moves.get_or_create(&MoveLabels { outcome }).inc();
    }

    /// Counts a command that was answered as it had been before.
    pub fn replayed(&self) {
        self.replays.inc();
    }

    fn called(&self, call: &'static str, outcome: &'static str, took: Duration) {
        let labels = CallLabels { call, outcome };
        self.store_calls
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    fn conflicted(&self) {
        self.conflicts.inc();
    }

    /// All of it as `OpenMetrics` text, which Prometheus reads, with as many watchers of games
    /// as there are now.
    pub fn render(&self, live_watchers: usize) -> String {
        self.live_watchers
            .set(i64::try_from(live_watchers).unwrap_or(i64::MAX));
        let mut rendered = String::new();
        // Writing to a string does not fail; a metric that cannot be encoded is left out.
        if let Err(error) = text::encode(&mut rendered, &self.registry) {
            tracing::error!(%error, "metrics could not be encoded");
        }
        rendered
    }
}
