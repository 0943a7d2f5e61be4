//! Logs an outage: one line when it begins, one per minute while it lasts, and one when it ends,
//! regardless of how many calls and subscriptions notice it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a condition that lasts is logged again.
const REMINDER: Duration = Duration::from_secs(60);

/// Due the first time, and then at most once a minute.
#[derive(Debug, Default)]
pub(super) struct OncePerMinute(Option<Instant>);

impl OncePerMinute {
    pub(super) fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|last| last.elapsed() >= REMINDER);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}

/// Whether the database is unavailable, as seen by the shared client and all subscriptions.
#[derive(Debug)]
pub(super) struct OutageLog {
    location: String,
    outage: Mutex<Option<Outage>>,
}

#[derive(Debug)]
struct Outage {
    began: Instant,
    /// How many of the client and the subscriptions wait for the database.
    waiting: usize,
    failures: u64,
    reminder: OncePerMinute,
}

/// Reports failures and successes of one user of the database: the supervisor of the shared
/// client, or a subscription.
#[derive(Debug)]
pub(super) struct OutageReporter {
    log: Arc<OutageLog>,
    is_waiting: bool,
}

impl OutageLog {
    pub(super) fn new(location: &str) -> Arc<OutageLog> {
        Arc::new(OutageLog {
            location: location.to_owned(),
            outage: Mutex::new(None),
        })
    }

    pub(super) fn reporter(self: &Arc<Self>) -> OutageReporter {
        OutageReporter {
            log: self.clone(),
            is_waiting: false,
        }
    }

    /// Counts a call that failed because of the outage, if there is one.
    pub(super) fn count_failure(&self) {
        if let Some(outage) = &mut *self.outage() {
            outage.failures += 1;
        }
    }

    fn outage(&self) -> MutexGuard<'_, Option<Outage>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutageReporter {
    /// The database could not be used.
    pub(super) fn failed(&mut self, reason: &str) {
        let location = &self.log.location;
        let mut current = self.log.outage();
        let is_new = current.is_none();
        let outage = current.get_or_insert_with(|| Outage {
            began: Instant::now(),
            waiting: 0,
            failures: 0,
            reminder: OncePerMinute::default(),
        });
        outage.waiting += usize::from(!std::mem::replace(&mut self.is_waiting, true));
        outage.failures += 1;
        if outage.reminder.is_due() {
            if is_new {
                tracing::error!(
                    reason,
                    "KurrentDB at {location} is unavailable; reconnecting"
                );
            } else {
                let since = outage.began.elapsed();
                let failures = outage.failures;
                tracing::error!(
                    reason,
                    failures,
                    "KurrentDB at {location} is still unavailable after {since:.0?}"
                );
            }
        }
    }

    /// The database could be used again.
    pub(super) fn works(&mut self) {
        if !std::mem::take(&mut self.is_waiting) {
            return;
        }
        let mut current = self.log.outage();
        let Some(outage) = &mut *current else { return };
        outage.waiting -= 1;
        if outage.waiting == 0 {
            let location = &self.log.location;
            let after = outage.began.elapsed();
            let failures = outage.failures;
            tracing::info!(
                failures,
                "KurrentDB at {location} works again after {after:.1?}"
            );
            *current = None;
        }
    }
}

/// A subscription that is dropped no longer waits for the database.
impl Drop for OutageReporter {
    fn drop(&mut self) {
        self.works();
    }
}
