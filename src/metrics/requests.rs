//! Counts and times the answered requests, without an allocation per request.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the histogram, in seconds: from an answer out of memory to the time limit of a
/// handler, and to the longest time that a client may ask to wait.
const SECONDS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// A route's template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Route(Arc<str>);

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        (&*self.0).encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CountLabels {
    method: &'static str,
    route: Route,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TimeLabels {
    method: &'static str,
    route: Route,
    status: &'static str,
}

/// The metrics of one kind of answer.
#[derive(Debug, Clone)]
struct Answers {
    route: Arc<str>,
    method: &'static str,
    status: u16,
    count: Counter,
    times: Histogram,
}

#[derive(Debug)]
pub(super) struct Requests {
    counts: Family<CountLabels, Counter>,
    times: Family<TimeLabels, Histogram, fn() -> Histogram>,
    /// The kinds of answers so far, the first ones first. There are few of them, so to find one here takes a
    /// fraction of what it takes to find its labels in the two families.
    known: RwLock<Vec<Answers>>,
}

impl Default for Requests {
    fn default() -> Requests {
        Requests {
            counts: Family::default(),
            times: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            known: RwLock::default(),
        }
    }
}

impl Requests {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Answered requests by method, route and status",
            self.counts.clone(),
        );
        registry.register(
            "http_request_seconds",
            "Time until a response begins, by method, route and class of status",
            self.times.clone(),
        );
    }

    pub(super) fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_this = |answers: &&Answers| {
            answers.status == status && answers.method == method && *answers.route == *route
        };
        if let Some(answers) = known.iter().find(is_this) {
            answers.count.inc();
            answers.times.observe(seconds);
            return;
        }
        drop(known);
        let answers = self.add(method, route, status);
        answers.count.inc();
        answers.times.observe(seconds);
    }

    /// The first answer of its kind, or one of several at the same time. They share their metrics.
    fn add(&self, method: &'static str, route: &str, status: u16) -> Answers {
        let name: Arc<str> = route.into();
        let times = TimeLabels {
            method,
            route: Route(name.clone()),
            status: class(status),
        };
        let counts = CountLabels {
            method,
            route: Route(name.clone()),
            status,
        };
        let answers = Answers {
            route: name,
            method,
            status,
            count: self.counts.get_or_create_owned(&counts),
            times: self.times.get_or_create_owned(&times),
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.push(answers.clone());
        answers
    }
}

fn class(status: u16) -> &'static str {
    match status {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}
