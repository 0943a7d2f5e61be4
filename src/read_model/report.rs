//! What the log says about following the store.

use std::time::{Duration, Instant};

use super::apply::Applied;
use super::batch::Unreadable;
use super::follow_error::FollowError;

/// How often the log tells how far a rebuild has come.
const REPORTS: Duration = Duration::from_secs(5);

/// How many unreadable streams get a line of their own. A database of a tutorial's
/// participants has many.
const UNREADABLE_LINES: usize = 10;

/// How often the log says that the store is still not followed.
const REMINDERS: Duration = Duration::from_secs(60);

/// Reports on one subscription, from its start on.
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
                "the read model catches up: {} events so far, {per_second} a second",
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
                "no game explains stream {} from revision {} on; lists leave it out",
                unreadable.stream,
                unreadable.revision,
            );
        }
    }

    /// May be told again and again.
    pub(super) fn caught_up(&mut self) {
        if self.unreadable > UNREADABLE_LINES {
            tracing::warn!(
                streams = self.unreadable,
                "no game explains {} streams in all; lists leave them out",
                self.unreadable,
            );
        }
        self.unreadable = 0;
        if std::mem::take(&mut self.is_behind) {
            let per_second = self.per_second();
            tracing::info!(
                events = self.events,
                per_second,
                "the read model has caught up, with {} events",
                self.events,
            );
        }
    }

    fn per_second(&self) -> u64 {
        (self.events as f64 / self.began.elapsed().as_secs_f64().max(1e-3)) as u64
    }
}

/// Reports on the time in which the store is not followed: its begin, a reminder a minute, its
/// end.
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
                tracing::error!(%error, "the read model does not follow the store: {error}; it tries again");
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
                        "the read model still does not follow the store: {error}"
                    );
                }
            }
        }
    }

    /// How many attempts failed in a row.
    pub(super) fn attempts(&self) -> u64 {
        self.0.as_ref().map_or(0, |failing| failing.attempts)
    }

    /// The store is followed. May be told again and again.
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
