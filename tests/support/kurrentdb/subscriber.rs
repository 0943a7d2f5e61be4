//! Subscriptions to `$all`, as the server serves them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::stream::{self, StreamExt};
use tokio::sync::watch;
use tonic::Status;

use super::Shared;
use super::all::{Wanted, before};
use super::log::Progress;
use super::reads::{Answers, response};
use super::wire::{AllFrom, Confirmation, Empty, FromPosition, Position, ReadContent};

/// Sends the confirmation, the stored events, the message that the subscription has caught up, and
/// new events as they are written. Sends a checkpoint after every `window` events that were checked
/// against the filter.
///
/// A position at which no record begins is refused after the confirmation. A position beyond the
/// last record is accepted: nothing is sent until the log has grown past it.
pub(super) fn subscription(
    shared: Arc<Shared>,
    from: AllFrom,
    wanted: Wanted,
    window: Option<u32>,
) -> Answers {
    let confirmation = ReadContent::Confirmation(Confirmation {
        subscription_id: uuid::Uuid::now_v7().to_string(),
    });
    let log = shared.log();
    let (next, after) = match from.from {
        Some(FromPosition::Position(after)) => match before(&log, after) {
            Ok(next) => (next, Some(after)),
            Err(error) => return refused(confirmation, error),
        },
        Some(FromPosition::End(_)) => (log.progress().readable, None),
        Some(FromPosition::Start(_)) | None => (0, None),
    };
    let subscriber = Subscriber {
        progress: shared.progress.subscribe(),
        ended: shared.subscriptions_ended.subscribe(),
        stalls: shared.stalls.load(Ordering::Relaxed),
        shared: shared.clone(),
        era: log.progress().era,
        wanted,
        window: window.unwrap_or(32).max(1) as usize,
        next,
        after,
        considered: 0,
        has_news: false,
        is_live: false,
        waiting: VecDeque::from([confirmation]),
    };
    drop(log);
    stream::unfold(subscriber, |mut subscriber| async {
        let answer = subscriber.next().await?;
        Some((Ok(response(answer)), subscriber))
    })
    .boxed()
}

fn refused(confirmation: ReadContent, error: Status) -> Answers {
    stream::iter([Ok(response(confirmation)), Err(error)]).boxed()
}

struct Subscriber {
    shared: Arc<Shared>,
    progress: watch::Receiver<Progress>,
    ended: watch::Receiver<u64>,
    /// The number of stalls before the subscription began. Another one stalls this subscription.
    stalls: u64,
    /// Identifies the database at the time of the subscription. A restored one counts as another.
    era: u64,
    wanted: Wanted,
    window: usize,
    next: usize,
    /// Only events after this position are sent.
    after: Option<Position>,
    considered: usize,
    /// Whether events were checked since the last checkpoint at the head.
    has_news: bool,
    is_live: bool,
    waiting: VecDeque<ReadContent>,
}

impl Subscriber {
    /// `None` ends the subscription without an error, only when a test asks for it: the server
    /// always ends a subscription with an error.
    async fn next(&mut self) -> Option<ReadContent> {
        loop {
            self.shared.wait_while_silent().await;
            if self.shared.stalls.load(Ordering::Relaxed) != self.stalls {
                std::future::pending::<()>().await;
            }
            if let Some(content) = self.waiting.pop_front() {
                if matches!(content, ReadContent::Event(_)) {
                    self.shared.counts.delivered.fetch_add(1, Ordering::Relaxed);
                }
                return Some(content);
            }
            if self.progress.borrow_and_update().era != self.era {
                // The database was replaced: the connection ends.
                std::future::pending::<()>().await;
            }
            self.look();
            if !self.waiting.is_empty() {
                continue;
            }
            if !self.is_live {
                self.is_live = true;
                return Some(ReadContent::CaughtUp(Empty {}));
            }
            tokio::select! {
                _ = self.progress.changed() => {}
                _ = self.ended.changed() => return None,
            }
        }
    }

    fn look(&mut self) {
        let log = self.shared.log();
        let Progress { era, readable, .. } = log.progress();
        if era != self.era {
            return;
        }
        let is_ahead = self.shared.switches().checkpoints_ahead;
        let until = readable.min(self.next + self.window);
        for place in self.next..until {
            self.next += 1;
            let event = &log.events[place];
            if log.is_scavenged(place) || Some(event.position) <= self.after {
                continue;
            }
            self.considered += 1;
            self.has_news = true;
            if self.wanted.has(event) {
                self.waiting.push_back(ReadContent::Event(event.to_wire()));
            }
            if self.considered.is_multiple_of(self.window) && !is_ahead {
                self.waiting
                    .push_back(ReadContent::Checkpoint(event.position));
            }
        }
        if is_ahead && self.has_news && self.next == readable {
            self.has_news = false;
            let end = log.end_of(readable);
            self.waiting.push_back(ReadContent::Checkpoint(Position {
                commit: end,
                prepare: end,
            }));
        }
    }
}
