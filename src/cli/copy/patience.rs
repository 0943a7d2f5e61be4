//! Repeats the calls of a store that does not answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::CopyError;
use super::progress::Progress;
use crate::backoff::Backoff;
use crate::event_store::EventStoreError;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often and how long calls are repeated.
#[derive(Debug)]
pub(super) struct Patience {
    limit: Duration,
    is_endless: AtomicBool,
    is_outage: AtomicBool,
}

/// Which of the stores is called.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Source,
    Target,
}

impl Side {
    pub(super) fn failed(self, error: EventStoreError) -> CopyError {
        match self {
            Side::Source => CopyError::Source(error),
            Side::Target => CopyError::Target(error),
        }
    }
}

impl Patience {
    /// Calls are repeated until they have failed for this long.
    pub(super) fn new(limit: Duration) -> Patience {
        Patience {
            limit,
            is_endless: AtomicBool::new(false),
            is_outage: AtomicBool::new(false),
        }
    }

    /// Whether calls are repeated without a limit.
    pub(super) fn set_endless(&self, is_endless: bool) {
        self.is_endless.store(is_endless, Ordering::Relaxed);
    }

    /// Makes the call until it succeeds or fails in a way that repeating does not change. An append
    /// can be repeated, because it is stored once. Says once per outage that the store does not
    /// answer.
    pub(super) async fn call<T, F>(
        &self,
        side: Side,
        progress: &Progress,
        mut call: impl FnMut() -> F,
    ) -> Result<Result<T, EventStoreError>, CopyError>
    where
        F: Future<Output = Result<T, EventStoreError>>,
    {
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut failing_since = None;
        loop {
            let error = match call().await {
                Err(
                    error @ (EventStoreError::Unavailable { .. }
                    | EventStoreError::OutcomeUnknown { .. }),
                ) => error,
                outcome => {
                    self.is_outage.store(false, Ordering::Relaxed);
                    return Ok(outcome);
                }
            };
            let failing = failing_since.get_or_insert_with(Instant::now).elapsed();
            let error = side.failed(error);
            if failing >= self.limit && !self.is_endless.load(Ordering::Relaxed) {
                return Err(CopyError::Unanswered(Box::new(error)));
            }
            if !self.is_outage.swap(true, Ordering::Relaxed) {
                progress.say(&format!("{error}; trying again"));
            }
            sleep(pauses.next_pause()).await;
        }
    }
}
