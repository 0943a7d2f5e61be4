//! Controls when written events are committed, and when committed ones become readable.
//!
//! An append conflicts with others as soon as it is written, is answered when it is committed,
//! and can be read once it is readable. Tests hold or delay either step.

use std::sync::Arc;
use std::time::Duration;

use super::log::Log;
use super::{Double, Shared};

/// What delays an event's next step.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pace {
    is_held: bool,
    delay: Duration,
}

impl Double {
    /// Does not commit events that are written from now on: their appends wait for an answer, and
    /// appends that repeat them are dropped.
    pub fn hold_commits(&self) {
        self.shared.switches().commits.is_held = true;
    }

    /// Commits all written events, and commits new ones immediately from now on.
    pub fn release_commits(&self) {
        self.shared.switches().commits = Pace::default();
        let mut log = self.shared.log();
        let written = log.events.len();
        self.shared.commit(&mut log, written);
    }

    /// Commits each event this long after it was written.
    pub fn commit_after(&self, delay: Duration) {
        self.shared.switches().commits.delay = delay;
    }

    /// How long an append that repeats an uncommitted append waits before it is answered with
    /// `ABORTED`: 2 s by default.
    ///
    /// The first append does not time out, however long a test delays its commit.
    pub fn commit_timeout(&self, after: Duration) {
        self.shared.switches().commit_timeout = after;
    }

    /// Does not make events readable that are committed from now on: their appends are answered and
    /// other appends conflict with them, but reads and subscriptions do not see them.
    pub fn hold_visibility(&self) {
        self.shared.switches().visibility.is_held = true;
    }

    /// Makes all committed events readable, and does so immediately from now on.
    pub fn release_visibility(&self) {
        self.shared.switches().visibility = Pace::default();
        let mut log = self.shared.log();
        let committed = log.progress().committed;
        self.shared.reveal(&mut log, committed);
    }

    /// Makes each event readable this long after it was committed.
    pub fn visible_after(&self, delay: Duration) {
        self.shared.switches().visibility.delay = delay;
    }
}

impl Shared {
    /// Commits the events that were just written and makes them readable, when the test allows it.
    pub(super) fn written(self: &Arc<Shared>, log: &mut Log) {
        let written = log.events.len();
        let pace = self.switches().commits;
        self.after(pace, log, move |shared, log| {
            if !shared.switches().commits.is_held {
                shared.commit(log, written);
            }
        });
    }

    fn commit(self: &Arc<Shared>, log: &mut Log, count: usize) {
        log.commit(count);
        self.publish(log);
        let pace = self.switches().visibility;
        self.after(pace, log, move |shared, log| {
            if !shared.switches().visibility.is_held {
                shared.reveal(log, count);
            }
        });
    }

    fn reveal(&self, log: &mut Log, count: usize) {
        log.reveal(count);
        self.publish(log);
    }

    /// Wakes the appends and subscriptions that wait for progress.
    pub(super) fn publish(&self, log: &Log) {
        self.progress.send_replace(log.progress());
    }

    fn after(
        self: &Arc<Shared>,
        pace: Pace,
        log: &mut Log,
        step: impl FnOnce(&Arc<Shared>, &mut Log) + Send + 'static,
    ) {
        if pace.delay.is_zero() {
            step(self, log);
            return;
        }
        let (shared, era) = (self.clone(), log.progress().era);
        tokio::spawn(async move {
            tokio::time::sleep(pace.delay).await;
            let mut log = shared.log();
            if log.progress().era == era {
                step(&shared, &mut log);
            }
        });
    }
}
