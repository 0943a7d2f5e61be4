//! The progress of the projector, for tasks that wait for a position and for metrics.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};

use crate::event_store::GlobalPosition;

/// Figures about the read model, for metrics and for the readiness check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadModelStatus {
    /// Events applied since the process started.
    pub events_applied: u64,
    /// Streams whose events are not a valid game.
    pub unreadable_streams: u64,
    /// Whether the read model has caught up and the store still answers. False while the store is
    /// unreachable; [`ReadModel::has_caught_up`](super::ReadModel::has_caught_up) stays true then.
    pub has_caught_up: bool,
    /// The age of the oldest event that was received and is not visible yet; zero when there is
    /// none. During catch-up, the age of the last visible event. While the store is unreachable,
    /// at least the time since it last answered.
    pub lag: Duration,
    /// How long ago the store last answered or delivered something.
    pub silence: Duration,
}

/// The value of `behind_since` when every received event is visible.
const NEVER: i64 = i64::MAX;

#[derive(Debug)]
pub(super) struct Progress {
    /// Its receivers are those who wait.
    visible: watch::Sender<Option<GlobalPosition>>,
    /// Wakes the projector when somebody begins to wait.
    awaited: Notify,
    caught_up: watch::Sender<bool>,
    applied: AtomicU64,
    unreadable: AtomicU64,
    /// When the oldest event that is not visible yet was recorded, in microseconds since 1970.
    behind_since: AtomicI64,
    /// When the store last answered, in microseconds since 1970.
    last_answer: AtomicI64,
    is_lost: AtomicBool,
    /// How many attempts in a row have failed, and the error of the last one.
    failed: watch::Sender<(u64, String)>,
}

impl Progress {
    pub(super) fn new() -> Progress {
        let now = Utc::now().timestamp_micros();
        Progress {
            visible: watch::Sender::new(None),
            awaited: Notify::new(),
            caught_up: watch::Sender::new(false),
            applied: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
            behind_since: AtomicI64::new(now),
            last_answer: AtomicI64::new(now),
            is_lost: AtomicBool::new(false),
            failed: watch::Sender::new((0, String::new())),
        }
    }

    /// The projector could not follow the store, for the n-th time in a row.
    pub(super) fn failed(&self, attempts: u64, error: String) {
        self.failed.send_replace((attempts, error));
    }

    /// Resolves with the last error when this many attempts in a row have failed.
    pub(super) async fn failures(&self, attempts: u64) -> String {
        let mut failed = self.failed.subscribe();
        let reached = failed.wait_for(|(failed, _)| *failed >= attempts).await;
        // It fails only after the sender was dropped, and `self` owns the sender.
        reached.map_or_else(|_| String::new(), |failed| failed.1.clone())
    }

    /// Publishes the position. Call it only after the commit that made the position visible.
    pub(super) fn show(&self, position: Option<GlobalPosition>, unreadable: u64) {
        self.unreadable.store(unreadable, Ordering::Relaxed);
        self.visible.send_replace(position);
    }

    pub(super) fn applied(&self, events: u64) {
        self.applied.fetch_add(events, Ordering::Relaxed);
    }

    pub(super) fn behind_since(&self, since: Option<DateTime<Utc>>) {
        let since = since.map_or(NEVER, |since| since.timestamp_micros());
        self.behind_since.store(since, Ordering::Relaxed);
    }

    pub(super) fn caught_up(&self) {
        self.caught_up.send_replace(true);
    }

    /// A rebuild begins. Call it before the tables are emptied, so that an answer from empty
    /// tables is recognised as incomplete.
    pub(super) fn rebuild_begins(&self) {
        self.caught_up.send_replace(false);
        self.behind_since(Some(Utc::now()));
    }

    /// The store answered or delivered something.
    pub(super) fn store_answered(&self) {
        let now = Utc::now().timestamp_micros();
        self.last_answer.store(now, Ordering::Relaxed);
        self.is_lost.store(false, Ordering::Relaxed);
    }

    /// The store does not answer. Holds until [`store_answered`](Progress::store_answered) is
    /// called.
    pub(super) fn store_lost(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    pub(super) fn position(&self) -> Option<GlobalPosition> {
        *self.visible.borrow()
    }

    pub(super) fn has_caught_up(&self) -> bool {
        *self.caught_up.borrow()
    }

    pub(super) async fn wait_until_caught_up(&self) {
        // It fails only after the sender was dropped, and `self` owns the sender.
        let _ = self.caught_up.subscribe().wait_for(|done| *done).await;
    }

    pub(super) async fn reached(&self, position: GlobalPosition) {
        let is_reached =
            |visible: &Option<GlobalPosition>| visible.is_some_and(|visible| visible >= position);
        let mut visible = self.visible.subscribe();
        if !is_reached(&visible.borrow()) {
            self.awaited.notify_one();
        }
        // It fails only after the sender was dropped, and `self` owns the sender.
        let _ = visible.wait_for(is_reached).await;
    }

    /// Whether somebody waits for events that are not visible yet. Before the first catch-up everybody does.
    pub(super) fn is_awaited(&self) -> bool {
        self.visible.receiver_count() > 0 || !self.has_caught_up()
    }

    /// Resolves when somebody has begun to wait.
    pub(super) async fn awaited(&self) {
        self.awaited.notified().await;
    }

    pub(super) fn status(&self) -> ReadModelStatus {
        let is_lost = self.is_lost.load(Ordering::Relaxed);
        let behind_since = self.behind_since.load(Ordering::Relaxed);
        let last_answer = self.last_answer.load(Ordering::Relaxed);
        let since = match is_lost {
            true => behind_since.min(last_answer),
            false => behind_since,
        };
        let age = |since| {
            let age = Utc::now().timestamp_micros().saturating_sub(since);
            Duration::from_micros(u64::try_from(age).unwrap_or_default())
        };
        ReadModelStatus {
            events_applied: self.applied.load(Ordering::Relaxed),
            unreadable_streams: self.unreadable.load(Ordering::Relaxed),
            has_caught_up: self.has_caught_up() && !is_lost,
            lag: match since {
                NEVER => Duration::ZERO,
                since => age(since),
            },
            silence: age(last_answer),
        }
    }
}
