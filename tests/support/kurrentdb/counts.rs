//! Counts the calls and connections of the double.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) appends: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) subscriptions: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) gossips: AtomicU64,
    pub(super) features: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) open_connections: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) most_in_flight: AtomicU64,
}

/// How often the node was called, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    pub appends: u64,
    pub reads: u64,
    pub subscriptions: u64,
    /// Events that were sent to subscriptions.
    pub delivered: u64,
    pub gossips: u64,
    /// Requests for the supported methods: one for each client that connects.
    pub features: u64,
    /// Appends that were dropped because they repeat an uncommitted append.
    pub dropped: u64,
    /// All connections that were ever accepted.
    pub connections: u64,
    /// The largest number of appends and reads that were in progress at the same time.
    pub most_in_flight: u64,
}

impl Counts {
    pub(super) fn now(&self) -> Calls {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Calls {
            appends: of(&self.appends),
            reads: of(&self.reads),
            subscriptions: of(&self.subscriptions),
            delivered: of(&self.delivered),
            gossips: of(&self.gossips),
            features: of(&self.features),
            dropped: of(&self.dropped),
            connections: of(&self.connections),
            most_in_flight: of(&self.most_in_flight),
        }
    }

    pub(super) fn open(&self) -> u64 {
        self.open_connections.load(Ordering::Relaxed)
    }

    /// Counts a connection. It counts as open until the returned value is dropped.
    pub(super) fn connect(self: &Arc<Counts>) -> OpenConnection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.open_connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection(self.clone())
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

pub(super) struct OpenConnection(Arc<Counts>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Ordering::Relaxed);
    }
}
