//! The log lines about following the store.

use std::time::{Duration, Instant};

use super::apply::Applied;
use super::batch::Unreadable;
use super::follow_error::FollowError;

/// How often the progress of a catch-up is logged.
const REPORTS: Duration = Duration::from_secs(5);

/// How many unreadable streams are logged with a line each. A database that participants of the
/// tutorial share has many.
const UNREADABLE_LINES: usize = 10;

/// How often an outage that continues is logged.
const REMINDERS: Duration = Duration::from_secs(60);

/// Logs the progress of one subscription.
pub(super) struct Report {
    began: Instant,
    last: Instant,
    events: u64,
    unreadable: usize,
    is_behind: bool,
}

impl Report {
    pub(super) fn new() -> Report {
        Report {
            began: Instant::now(),
            last: Instant::now(),
            events: 0,
            unreadable: 0,
            is_behind: true,
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.is_behind
    }

    pub(super) fn applied(&mut self, applied: &Applied) {
        self.events += applied.events;
        for unreadable in &applied.unreadable {
            self.found_unreadable(unreadable);
        }
        if self.is_behind && self.last.elapsed() >= REPORTS {
            self.last = Instant::now();
            let checkpoint = applied.memory.checkpoint;
            let position = checkpoint.map(|position| position.to_string());
            let per_second = self.per_second();
            tracing::info!(
                events = self.events,
                per_second,
                position,
                "the read model is catching up: {} events so far, {per_second} a second",
                self.events,
            );
        }
    }

    fn found_unreadable(&mut self, unreadable: &Unreadable) {
        self.unreadable += 1;
        if self.unreadable <= UNREADABLE_LINES {
            tracing::warn!(
                stream = unreadable.stream,
                revision = unreadable.revision,
                reason = unreadable.reason,
                "stream {} is not a valid game from revision {} on; it is left out of lists",
                unreadable.stream,
                unreadable.revision,
            );
        }
    }

    /// May be called any number of times.
    pub(super) fn caught_up(&mut self) {
        if self.unreadable > UNREADABLE_LINES {
            tracing::warn!(
                streams = self.unreadable,
                "{} streams are not valid games; they are left out of lists",
                self.unreadable,
            );
        }
        self.unreadable = 0;
        if std::mem::take(&mut self.is_behind) {
            let per_second = self.per_second();
            tracing::info!(
                events = self.events,
                per_second,
                "the read model has caught up: {} events",
                self.events,
            );
        }
    }

    fn per_second(&self) -> u64 {
        (self.events as f64 / self.began.elapsed().as_secs_f64().max(1e-3)) as u64
    }
}

/// Logs the times in which the store is not followed: one line at the beginning, one a minute, one
/// at the end.
#[derive(Default)]
pub(super) struct Outage(Option<Failing>);

struct Failing {
    began: Instant,
    last_line: Instant,
    attempts: u64,
}

impl Outage {
    pub(super) fn failed(&mut self, error: &FollowError) {
        match &mut self.0 {
            None => {
                tracing::error!(%error, "the read model cannot follow the store: {error}; trying again");
                self.0 = Some(Failing {
                    began: Instant::now(),
                    last_line: Instant::now(),
                    attempts: 1,
                });
            }
            Some(failing) => {
                failing.attempts += 1;
                if failing.last_line.elapsed() >= REMINDERS {
                    failing.last_line = Instant::now();
                    tracing::error!(
                        %error,
                        attempts = failing.attempts,
                        "the read model still cannot follow the store: {error}"
                    );
                }
            }
        }
    }

    /// How many attempts in a row failed.
    pub(super) fn attempts(&self) -> u64 {
        self.0.as_ref().map_or(0, |failing| failing.attempts)
    }

    /// The store is followed. May be called any number of times.
    pub(super) fn ended(&mut self) {
        if let Some(failing) = self.0.take() {
            tracing::info!(
                attempts = failing.attempts,
                seconds = failing.began.elapsed().as_secs(),
                "the read model follows the store again, after {} attempts",
                failing.attempts,
            );
        }
    }
}
