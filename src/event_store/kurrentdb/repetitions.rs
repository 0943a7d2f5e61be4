//! Identical appends at the same time share one outcome.
//!
//! The server drops an append whose ids are written but not yet committed, and its sender
//! waits for two seconds. A double click must not cost that.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use uuid::Uuid;

use crate::event_store::{Appended, EventStoreError, ExpectedRevision, NewEvent, StreamName};

type Outcome = Result<Appended, EventStoreError>;

/// What makes two appends the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    stream: StreamName,
    first: u64,
    ids: Vec<Uuid>,
}

type Appends = HashMap<Identity, Shared<BoxFuture<'static, Outcome>>>;

/// The appends that are under way in this process.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<Appends>);

impl UnderWay {
    /// The outcome of this append: of the same one that is under way already, or of the work.
    ///
    /// The work is a task of its own: whoever stops waiting must not take the append back
    /// halfway, and a panic in the crate leaves an outcome to be told.
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
