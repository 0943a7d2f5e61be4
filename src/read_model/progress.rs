//! How far the read model has come, for who waits and for who looks.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::event_store::GlobalPosition;

/// How the read model is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadModelStatus {
    /// Events applied since the process started.
    pub events_applied: u64,
    /// Streams that no game explains.
    pub unreadable_streams: u64,
    /// Whether it has caught up and the store still answers. False while the store is lost,
    /// when [`ReadModel::has_caught_up`](super::ReadModel::has_caught_up) stays true.
    pub has_caught_up: bool,
    /// The age of the oldest event that is known of and not visible yet. Zero when there is
    /// none; while it catches up, the age of the last visible event. While the store is lost,
    /// at least the time since its last sign of life.
    pub lag: Duration,
}

/// Not behind.
const NEVER: i64 = i64::MAX;

#[derive(Debug)]
pub(super) struct Progress {
    visible: watch::Sender<Option<GlobalPosition>>,
    caught_up: watch::Sender<bool>,
    applied: AtomicU64,
    unreadable: AtomicU64,
    /// Since when, in microseconds since 1970.
    behind_since: AtomicI64,
    /// The store's last sign of life, in microseconds since 1970.
    last_heard: AtomicI64,
    is_lost: AtomicBool,
}

impl Progress {
    pub(super) fn new() -> Progress {
        let now = Utc::now().timestamp_micros();
        Progress {
            visible: watch::Sender::new(None),
            caught_up: watch::Sender::new(false),
            applied: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
            behind_since: AtomicI64::new(now),
            last_heard: AtomicI64::new(now),
            is_lost: AtomicBool::new(false),
        }
    }

    /// To be called after the commit that made the position visible, never before.
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

    /// It is built again. To be called before the tables are emptied, so that nobody takes the
    /// empty tables for an answer.
    pub(super) fn begins_again(&self) {
        self.caught_up.send_replace(false);
        self.behind_since(Some(Utc::now()));
    }

    /// The store gave a sign of life.
    pub(super) fn heard(&self) {
        let now = Utc::now().timestamp_micros();
        self.last_heard.store(now, Ordering::Relaxed);
        self.is_lost.store(false, Ordering::Relaxed);
    }

    /// The store is not followed, or does not answer, until it is [`heard`](Progress::heard).
    pub(super) fn lost(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    pub(super) fn position(&self) -> Option<GlobalPosition> {
        *self.visible.borrow()
    }

    pub(super) fn has_caught_up(&self) -> bool {
        *self.caught_up.borrow()
    }

    pub(super) async fn has_ever_caught_up(&self) {
        // An error would say that the sender is gone, which we hold ourselves.
        let _ = self.caught_up.subscribe().wait_for(|done| *done).await;
    }

    pub(super) async fn reached(&self, position: GlobalPosition) {
        let mut visible = self.visible.subscribe();
        // An error would say that the sender is gone, which we hold ourselves.
        let _ = visible
            .wait_for(|visible| visible.is_some_and(|visible| visible >= position))
            .await;
    }

    pub(super) fn status(&self) -> ReadModelStatus {
        let is_lost = self.is_lost.load(Ordering::Relaxed);
        let behind_since = self.behind_since.load(Ordering::Relaxed);
        let since = match is_lost {
            true => behind_since.min(self.last_heard.load(Ordering::Relaxed)),
            false => behind_since,
        };
        let lag = match since {
            NEVER => 0,
            since => Utc::now().timestamp_micros().saturating_sub(since),
        };
        ReadModelStatus {
            events_applied: self.applied.load(Ordering::Relaxed),
            unreadable_streams: self.unreadable.load(Ordering::Relaxed),
            has_caught_up: self.has_caught_up() && !is_lost,
            lag: Duration::from_micros(u64::try_from(lag).unwrap_or_default()),
        }
    }
}
