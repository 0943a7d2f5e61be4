//! How far the read model has come, for who waits and for who looks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
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
    /// Whether everything that was recorded before the start is visible.
    pub has_caught_up: bool,
    /// The age of the oldest event that is known of and not visible yet. Zero when there is
    /// none; while it catches up, the age of the last visible event.
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
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress {
            visible: watch::Sender::new(None),
            caught_up: watch::Sender::new(false),
            applied: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
            behind_since: AtomicI64::new(Utc::now().timestamp_micros()),
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
        let behind = match self.behind_since.load(Ordering::Relaxed) {
            NEVER => 0,
            since => Utc::now().timestamp_micros().saturating_sub(since),
        };
        ReadModelStatus {
            events_applied: self.applied.load(Ordering::Relaxed),
            unreadable_streams: self.unreadable.load(Ordering::Relaxed),
            has_caught_up: self.has_caught_up(),
            lag: Duration::from_micros(u64::try_from(behind).unwrap_or_default()),
        }
    }
}
