//! A subscription to all events: first the stored ones, then each commit.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time;

use super::reader::read_log;
use super::shared::Shared;
use super::tail::Commit;
use super::tombstone::is_tombstone;
use crate::backoff::Backoff;
use crate::event_store::{
    EventStoreError, GlobalPosition, RecordedEvent, Subscription, SubscriptionMessage,
};

/// How many events are read at a time. An event takes about a microsecond to read, so with this
/// many the cost of starting a read does not matter.
const BATCH: usize = 4096;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(6);

/// A subscription keeps the store open.
pub(super) fn subscribe(
    shared: Arc<Shared>,
    prefix: &'static str,
    after: Option<GlobalPosition>,
) -> Subscription {
    let place = Place {
        shared,
        after,
        tail: None,
        caught_up: false,
        pauses: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
    };
    stream::unfold(place, move |mut place| async move {
        let messages = place.next_messages(prefix).await;
        Some((stream::iter(messages), place))
    })
    .flatten()
    .boxed()
}

/// Where a subscription is, and how it gets the next events.
///
/// It reads the file until few events are left. Then it subscribes to the commits of the writer,
/// reads the remaining events, and takes the commits from then on. It subscribes before the last
/// read so that no commit is missed.
struct Place {
    shared: Arc<Shared>,
    after: Option<GlobalPosition>,
    /// The commits of the writer. They begin before the next read of the file.
    tail: Option<Receiver<Commit>>,
    caught_up: bool,
    pauses: Backoff,
}

impl Place {
    async fn next_messages(&mut self, prefix: &str) -> Vec<SubscriptionMessage> {
        loop {
            if self.caught_up
                && let Some(tail) = &mut self.tail
            {
                match tail.recv().await {
                    Ok(commit) => match self.fresh(&commit) {
                        Some([]) => continue,
                        Some(fresh) => {
                            self.after = fresh.last().map(|event| event.position);
                            return recorded(fresh.iter().cloned(), prefix);
                        }
                        None => self.fall_behind(),
                    },
                    Err(RecvError::Lagged(_)) => self.fall_behind(),
                    // The writer has stopped: no event will come, but a subscription never ends.
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
            match self.read().await {
                Err(error) => self.back_off(&error).await,
                Ok(batch) if batch.is_empty() && self.tail.is_some() => {
                    self.caught_up = true;
                    return vec![SubscriptionMessage::CaughtUp];
                }
                Ok(batch) => {
                    if batch.len() < BATCH && self.tail.is_none() {
                        self.tail = Some(self.shared.tail.subscribe());
                    }
                    if let Some(last) = batch.last() {
                        self.after = Some(last.position);
                        return recorded(batch.into_iter(), prefix);
                    }
                }
            }
        }
    }

    /// The events of the commit that were not delivered yet. `None` if an earlier commit was
    /// missed, or the commit has no events; then read the file instead.
    fn fresh<'c>(&self, commit: &'c Commit) -> Option<&'c [RecordedEvent]> {
        let delivered = self.after.map_or(0, GlobalPosition::commit);
        let first = commit.first()?.position.commit();
        if first > delivered + 1 {
            return None;
        }
        let known = usize::try_from(delivered + 1 - first).unwrap_or(usize::MAX);
        Some(commit.get(known..).unwrap_or_default())
    }

    /// Returns to reading the file, which has all events that were missed.
    fn fall_behind(&mut self) {
        self.caught_up = false;
        self.tail = None;
    }

    async fn read(&mut self) -> Result<Vec<RecordedEvent>, EventStoreError> {
        let after = self.after;
        let batch = self
            .shared
            .read(move |connection| read_log(connection, after, BATCH))
            .await?;
        self.pauses.reset();
        Ok(batch)
    }

    async fn back_off(&mut self, error: &EventStoreError) {
        self.fall_behind();
        let pause = self.pauses.next_pause();
        tracing::warn!(
            %error,
            ?pause,
            after = ?self.after,
            "a subscription could not read the event store; it will try again after a pause"
        );
        time::sleep(pause).await;
    }
}

/// The messages about events of streams whose names begin with the prefix. A tombstone tells that its
/// stream was deleted.
pub(super) fn recorded(
    events: impl Iterator<Item = RecordedEvent>,
    prefix: &str,
) -> Vec<SubscriptionMessage> {
    events
        .filter(|event| event.stream.as_str().starts_with(prefix))
        .map(|event| match is_tombstone(event.revision) {
            true => SubscriptionMessage::StreamTruncated(event.stream),
            false => SubscriptionMessage::Recorded(event),
        })
        .collect()
}
