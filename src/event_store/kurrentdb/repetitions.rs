//! Identical appends that run at the same time share one outcome.
//!
//! The server drops an append if an append with the same ids has been written but not yet
//! committed, and answers it only after two seconds. A double click must not cause that delay.
//!
//! The server does not say whether it stored an append now or had stored it before. But this process
//! knows its own appends: if they are equal, all but the first one are repetitions.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::event_store::{Appended, EventStoreError, ExpectedRevision, NewEvent, StreamName};

type Outcome = Result<Appended, EventStoreError>;

/// Identifies an append: two appends with the same identity are the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    stream: StreamName,
    first: u64,
    ids: Vec<Uuid>,
}

type Appends = HashMap<Identity, Shared<BoxFuture<'static, Outcome>>>;

/// How many successful appends are remembered. An equal append that is sent later was decided
/// before the first one succeeded, a few milliseconds ago.
const REMEMBERED: usize = 8192;

/// The appends of this process that are in progress, and those that have just succeeded.
#[derive(Debug)]
pub(super) struct AppendsInFlight {
    running: Mutex<Appends>,
    succeeded: Cache<Identity, ()>,
}

impl Default for AppendsInFlight {
    fn default() -> AppendsInFlight {
        AppendsInFlight {
            running: Mutex::default(),
            succeeded: Cache::new(REMEMBERED),
        }
    }
}

impl AppendsInFlight {
    /// Waits for the same append if it is in progress already; otherwise starts `work`.
    ///
    /// The work runs in its own task. So an append is not cancelled when its caller stops
    /// waiting, and a panic in the crate still gives an outcome.
    pub(super) async fn join<F>(
        self: &Arc<Self>,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
        work: impl FnOnce(Vec<NewEvent>) -> F,
    ) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let identity = Identity {
            stream: stream.clone(),
            first: expected.first_appended().number(),
            ids: events.iter().map(|event| event.id).collect(),
        };
        let (outcome, is_repetition) = {
            let mut appends = self.appends();
            match appends.get(&identity) {
                Some(outcome) => (outcome.clone(), true),
                None => {
                    let is_repetition = self.succeeded.get(&identity).is_some();
                    let (all, own) = (self.clone(), identity.clone());
                    let work = AssertUnwindSafe(work(events)).catch_unwind();
                    let task = tokio::spawn(async move {
                        let outcome = work.await;
                        let outcome = outcome.unwrap_or_else(|_| unknown("the append panicked"));
                        let mut appends = all.appends();
                        appends.remove(&own);
                        if outcome.is_ok() {
                            all.succeeded.insert(own, ());
                        }
                        outcome
                    });
                    let outcome = task
                        .map(|joined| joined.unwrap_or_else(unknown))
                        .boxed()
                        .shared();
                    appends.insert(identity, outcome.clone());
                    (outcome, is_repetition)
                }
            }
        };
        let appended = outcome.await?;
        Ok(Appended {
            is_repetition,
            ..appended
        })
    }

    fn appends(&self) -> MutexGuard<'_, Appends> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(reason: impl ToString) -> Outcome {
    Err(EventStoreError::OutcomeUnknown {
        reason: reason.to_string(),
    })
}
