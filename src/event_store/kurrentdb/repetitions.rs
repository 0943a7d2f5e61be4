//! Identical appends that run at the same time share one outcome.
//!
//! The server drops an append if an append with the same ids has been written but not yet
//! committed, and answers it only after two seconds. A double click must not cause that delay.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
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

/// The appends of this process that are in progress.
#[derive(Debug, Default)]
pub(super) struct AppendsInFlight(Mutex<Appends>);

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
        let outcome = {
            let mut appends = self.appends();
            match appends.get(&identity) {
                Some(outcome) => outcome.clone(),
                None => {
                    let (all, own) = (self.clone(), identity.clone());
                    let work = AssertUnwindSafe(work(events)).catch_unwind();
                    let task = tokio::spawn(async move {
                        let outcome = work.await;
                        all.appends().remove(&own);
                        outcome.unwrap_or_else(|_| unknown("the append panicked"))
                    });
                    let outcome = task
                        .map(|joined| joined.unwrap_or_else(unknown))
                        .boxed()
                        .shared();
                    appends.insert(identity, outcome.clone());
                    outcome
                }
            }
        };
        outcome.await
    }

    fn appends(&self) -> MutexGuard<'_, Appends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(reason: impl ToString) -> Outcome {
    Err(EventStoreError::OutcomeUnknown {
        reason: reason.to_string(),
    })
}
