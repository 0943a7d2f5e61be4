//! All events in their order: what is stored, then what is committed.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tokio::time;

use super::Shared;
use super::reader::read_all;
use crate::event_store::{
    EventStoreError, GlobalPosition, RecordedEvent, Subscription, SubscriptionMessage,
};

/// How many events are read at a time: at about a microsecond each, so many that to begin a
/// read costs nothing beside it.
const BATCH: usize = 4096;

/// A subscription keeps the store open.
pub(super) fn subscribe(
    shared: Arc<Shared>,
    prefix: &'static str,
    after: Option<GlobalPosition>,
) -> Subscription {
    let place = Place {
        committed: shared.committed.clone(),
        shared,
        after,
        caught_up: false,
        failures: 0,
    };
    stream::unfold(place, move |mut place| async move {
        let messages = place.next_messages(prefix).await;
        Some((stream::iter(messages), place))
    })
    .flatten()
    .boxed()
}

/// A subscription's place among all events.
struct Place {
    shared: Arc<Shared>,
    committed: watch::Receiver<Option<GlobalPosition>>,
    after: Option<GlobalPosition>,
    caught_up: bool,
    /// Reads that failed since the last one that did not.
    failures: u32,
}

impl Place {
    async fn next_messages(&mut self, prefix: &str) -> Vec<SubscriptionMessage> {
        loop {
            // Marked as seen before reading, so that a commit after the read wakes us.
            self.committed.borrow_and_update();
            match self.read().await {
                Err(error) => self.back_off(&error).await,
                Ok(batch) if batch.is_empty() => {
                    if !self.caught_up {
                        self.caught_up = true;
                        return vec![SubscriptionMessage::CaughtUp];
                    }
                    if self.committed.changed().await.is_err() {
                        // The writer died: nothing will come, and a subscription does not end.
                        std::future::pending::<()>().await;
                    }
                }
                Ok(batch) => {
                    // A full batch says that there is more: we are behind again.
                    self.caught_up &= batch.len() < BATCH;
                    self.after = batch.last().map(|event| event.position);
                    return batch
                        .into_iter()
                        .filter(|event| event.stream.as_str().starts_with(prefix))
                        .map(SubscriptionMessage::Recorded)
                        .collect();
                }
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<RecordedEvent>, EventStoreError> {
        let after = self.after;
        let batch = self
            .shared
            .readers
            .read(move |connection| read_all(connection, after, BATCH))
            .await?;
        self.failures = 0;
        Ok(batch)
    }

    async fn back_off(&mut self, error: &EventStoreError) {
        self.caught_up = false;
        let pause = pause(self.failures);
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(%error, ?pause, after = ?self.after, "a subscription could not read; it goes on after a pause");
        time::sleep(pause).await;
    }
}

/// From a tenth of a second to six, doubling, and up to a quarter more by chance, so that
/// subscriptions that failed together do not come back together.
fn pause(failures: u32) -> Duration {
    let pause = Duration::from_millis(100 << failures.min(6));
    let chance = RandomState::new().hash_one(failures) % 256;
    pause + pause.mul_f64(f64::from(u8::try_from(chance).unwrap_or(u8::MAX)) / 1024.0)
}
