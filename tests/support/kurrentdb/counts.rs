//! How often the double was called, by kind.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) appends: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) subscriptions: AtomicU64,
    pub(super) gossips: AtomicU64,
    pub(super) features: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) most_in_flight: AtomicU64,
}

/// How often the node was called, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    pub appends: u64,
    pub reads: u64,
    pub subscriptions: u64,
    pub gossips: u64,
    /// How often a client asked what the node can do: once for each that connects.
    pub features: u64,
    pub connections: u64,
    /// The most appends and reads that were answered at one time.
    pub most_in_flight: u64,
}

impl Counts {
    pub(super) fn now(&self) -> Calls {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Calls {
            appends: of(&self.appends),
            reads: of(&self.reads),
            subscriptions: of(&self.subscriptions),
            gossips: of(&self.gossips),
            features: of(&self.features),
            connections: of(&self.connections),
            most_in_flight: of(&self.most_in_flight),
        }
    }

    pub(super) fn enter(&self) -> InFlight<'_> {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_in_flight.fetch_max(now, Ordering::Relaxed);
        InFlight(self)
    }
}

pub(super) struct InFlight<'a>(&'a Counts);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
