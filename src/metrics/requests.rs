//! Counts and times the answered requests, without an allocation per request.

use std::collections::HashSet;
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

/// A route's template. Shared by its labels, so that a request copies a pointer and no text.
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

#[derive(Debug)]
pub(super) struct Requests {
    routes: RwLock<HashSet<Arc<str>>>,
    counts: Family<CountLabels, Counter>,
    times: Family<TimeLabels, Histogram, fn() -> Histogram>,
}

impl Default for Requests {
    fn default() -> Requests {
        Requests {
            routes: RwLock::default(),
            counts: Family::default(),
            times: Family::new_with_constructor(|| Histogram::new(SECONDS)),
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
        let route = self.route(route);
        let times = TimeLabels {
            method,
            route: route.clone(),
            status: class(status),
        };
        let seconds = took.as_secs_f64();
        self.times.get_or_create(&times).observe(seconds);
        let counts = CountLabels {
            method,
            route,
            status,
        };
        self.counts.get_or_create(&counts).inc();
    }

    fn route(&self, route: &str) -> Route {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let known = routes.get(route).cloned();
        drop(routes);
        Route(known.unwrap_or_else(|| {
            let new: Arc<str> = route.into();
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            routes.insert(new.clone());
            new
        }))
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
