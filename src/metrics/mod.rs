//! The metrics of the service, for Prometheus.
//!
//! Each service has one [`Metrics`] and passes it to the code that counts. Nothing is global, so
//! several services in one process, as in tests, do not share their metrics.

mod measured_store;
#[cfg(target_os = "linux")]
mod process;
mod requests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use measured_store::MeasuredStore;
use requests::Requests;

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the histogram of store calls, in seconds: from a read that is answered from memory
/// to the longest time that a request handler waits.
const CALL_SECONDS: [f64; 12] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 5.0,
];

/// The outcome of a move that was stored.
pub const ACCEPTED: &str = "accepted";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MoveLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RetryLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
    outcome: &'static str,
}

/// The state of the read model.
#[derive(Debug, Clone, Copy)]
pub struct ReadModelFigures {
    /// The age of the oldest event that the read model does not contain yet, or the time since the
    /// store last answered.
    pub lag: Duration,
    /// The number of events that were applied since the start of the process.
    pub events_applied: u64,
    /// The number of streams whose events are not a valid game.
    pub unreadable_streams: u64,
    /// Whether the read model has caught up and the store answers.
    pub has_caught_up: bool,
    /// How long ago the projector last heard from the store.
    pub silence: Duration,
}

/// The state of the hub of the watchers.
#[derive(Debug, Clone, Copy)]
pub struct LiveFigures {
    /// The number of clients that watch one game or all games.
    pub watchers: usize,
    /// How long ago the hub was last known to receive events. Zero before the first watcher.
    pub silence: Duration,
}

/// Counts something that goes on, until it is dropped.
#[derive(Debug)]
pub struct Ongoing(Gauge);

impl Ongoing {
    fn new(gauge: &Gauge) -> Ongoing {
        gauge.inc();
        Ongoing(gauge.clone())
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The counters, gauges and histograms. Clones share them and are cheap: each request makes several.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Registered>);

#[derive(Debug)]
struct Registered {
    registry: Registry,
    requests: Requests,
    requests_in_flight: Gauge,
    connections: Gauge,
    moves: Family<MoveLabels, Counter>,
    /// One of `moves`, which would otherwise be looked up at each move.
    accepted_moves: Counter,
    repeated_commands: Counter,
    conflicts: Counter,
    live_watchers: Gauge,
    live_silence: Gauge<f64, AtomicU64>,
    read_model_silence: Gauge<f64, AtomicU64>,
    read_model_lag: Gauge<f64, AtomicU64>,
    read_model_events: Counter,
    read_model_unreadable: Gauge,
    read_model_caught_up: Gauge,
    log_lines_lost: Counter,
    store_calls: Family<CallLabels, Histogram, fn() -> Histogram>,
    computer_queue: Gauge,
    computer_moves: Family<MoveLabels, Counter>,
    computer_retries: Family<RetryLabels, Counter>,
}

impl Default for Registered {
    fn default() -> Registered {
        let call_times: fn() -> Histogram = || Histogram::new(CALL_SECONDS);
        let moves = Family::<MoveLabels, Counter>::default();
        let accepted_moves = moves.get_or_create_owned(&MoveLabels { outcome: ACCEPTED });
        let mut metrics = Registered {
            registry: Registry::default(),
            requests: Requests::default(),
            requests_in_flight: Gauge::default(),
            connections: Gauge::default(),
            moves,
            accepted_moves,
            repeated_commands: Counter::default(),
            conflicts: Counter::default(),
            live_watchers: Gauge::default(),
            live_silence: Gauge::default(),
            read_model_silence: Gauge::default(),
            read_model_lag: Gauge::default(),
            read_model_events: Counter::default(),
            read_model_unreadable: Gauge::default(),
            read_model_caught_up: Gauge::default(),
            log_lines_lost: Counter::default(),
            store_calls: Family::new_with_constructor(call_times),
            computer_queue: Gauge::default(),
            computer_moves: Family::default(),
            computer_retries: Family::default(),
        };
        let mut all = Registry::default();
        #[cfg(target_os = "linux")]
        all.register_collector(Box::new(process::Process));
        let registry = all.sub_registry_with_prefix("connect_four");
        registry.register(
            "build",
            "The version of the program",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        metrics.requests.register(registry);
        registry.register(
            "http_requests_in_flight",
            "Requests whose response has not begun yet",
            metrics.requests_in_flight.clone(),
        );
        registry.register(
            "http_connections",
            "Open connections of clients",
            metrics.connections.clone(),
        );
        registry.register(
            "moves",
            "Moves that clients sent, by outcome: accepted, or the slug of the problem",
            metrics.moves.clone(),
        );
        registry.register(
            "replays",
            "Repeated commands, which were answered without being carried out again",
            metrics.repeated_commands.clone(),
        );
        registry.register(
            "append_conflicts",
            "Appends that failed because the stream was not at the expected revision",
            metrics.conflicts.clone(),
        );
        registry.register(
            "live_watchers",
            "Clients that wait for the next event of a game or of all games",
            metrics.live_watchers.clone(),
        );
        registry.register(
            "live_silence_seconds",
            "Time since the hub of the watchers was last known to receive events; 0 before the first watcher",
            metrics.live_silence.clone(),
        );
        registry.register(
            "read_model_silence_seconds",
            "Time since the projector last heard from the store, which it asks at least every 30 s",
            metrics.read_model_silence.clone(),
        );
        registry.register(
            "read_model_lag_seconds",
            "Age of the oldest event that the lists do not show yet, or time since the store last answered",
            metrics.read_model_lag.clone(),
        );
        registry.register(
            "read_model_events",
            "Events that the read model has applied since the start of the process",
            metrics.read_model_events.clone(),
        );
        registry.register(
            "read_model_unreadable_streams",
            "Streams whose events are not a valid game; the lists leave them out",
            metrics.read_model_unreadable.clone(),
        );
        registry.register(
            "read_model_caught_up",
            "1 if the read model has caught up and the store answers, otherwise 0",
            metrics.read_model_caught_up.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Log lines that standard output did not take",
            metrics.log_lines_lost.clone(),
        );
        registry.register(
            "store_call_seconds",
            "Duration of the calls to the event store",
            metrics.store_calls.clone(),
        );
        registry.register(
            "computer_queue",
            "Positions that wait for a thread of the computer's solver",
            metrics.computer_queue.clone(),
        );
        registry.register(
            "computer_moves",
            "Moves of the computer, by outcome: made, repeated (another replica stored the same move), or lost-race",
            metrics.computer_moves.clone(),
        );
        registry.register(
            "computer_retries",
            "Reactions of the computer that failed and were tried again, by reason",
            metrics.computer_retries.clone(),
        );
        metrics.registry = all;
        metrics
    }
}

impl Metrics {
    /// Counts and times an answered request. `route` is a template such as `/games/{id}`, so the number
    /// of time series does not grow with the paths that clients request. `took` ends when the response
    /// begins, since an event stream has no other end.
    pub fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        self.0.requests.answered(method, route, status, took);
    }

    /// Counts a request as in flight until the value is dropped.
    pub fn request_begins(&self) -> Ongoing {
        Ongoing::new(&self.0.requests_in_flight)
    }

    /// Counts a connection as open until the value is dropped.
    pub fn connection_opens(&self) -> Ongoing {
        Ongoing::new(&self.0.connections)
    }

    /// Counts a move that a client sent. `outcome` is [`ACCEPTED`] or the slug of the problem.
    pub fn moved(&self, outcome: &'static str) {
        match outcome {
            ACCEPTED => self.0.accepted_moves.inc(),
            refused => self
                .0
                .moves
                .get_or_create(&MoveLabels { outcome: refused })
                .inc(),
        };
    }

    /// Counts a repeated command, which was not carried out again.
    pub fn replayed(&self) {
        self.0.repeated_commands.inc();
    }

    /// A position waits for the computer's solver.
    pub fn computer_queue_grew(&self) {
        self.0.computer_queue.inc();
    }

    /// A position no longer waits for the computer's solver.
    pub fn computer_queue_shrank(&self) {
        self.0.computer_queue.dec();
    }

    /// Counts a move that the computer decided on.
    pub fn computer_moved(&self, outcome: &'static str) {
        self.0
            .computer_moves
            .get_or_create(&MoveLabels { outcome })
            .inc();
    }

    /// Counts a reaction of the computer that failed and is tried again.
    pub fn computer_retried(&self, reason: &'static str) {
        self.0
            .computer_retries
            .get_or_create(&RetryLabels { reason })
            .inc();
    }

    /// The durations of these calls of the event store, in seconds.
    fn store_calls(&self, call: &'static str, outcome: &'static str) -> Histogram {
        let labels = CallLabels { call, outcome };
        self.0.store_calls.get_or_create_owned(&labels)
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

    /// Returns all metrics as `OpenMetrics` text, which Prometheus reads. The arguments are the
    /// current states of the hub and the read model.
    pub fn render(&self, live: LiveFigures, read_model: ReadModelFigures) -> String {
        let gauge = |figure| i64::try_from(figure).unwrap_or(i64::MAX);
        self.0.live_watchers.set(gauge(live.watchers as u64));
        self.0.live_silence.set(live.silence.as_secs_f64());
        let silence = read_model.silence.as_secs_f64();
        self.0.read_model_silence.set(silence);
        self.0.read_model_lag.set(read_model.lag.as_secs_f64());
        // A counter must never decrease. The read model counts from the start of the process, too.
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
        // Writing to a string cannot fail. A metric that cannot be encoded is left out.
        if let Err(error) = text::encode(&mut rendered, &self.0.registry) {
            tracing::error!(%error, "metrics could not be encoded");
        }
        rendered
    }
}
