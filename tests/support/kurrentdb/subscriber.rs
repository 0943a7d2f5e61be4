//! Subscriptions to `$all`, as the server serves them.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use tokio::sync::watch;

use super::Shared;
use super::rpc::{Answers, response};
use super::wire::{AllFrom, Confirmation, Empty, Filter, FromPosition, Position, ReadContent};

/// Confirmed, then what is stored, then caught up, then what comes,
/// with a checkpoint wherever so many events were looked at.
pub(super) fn subscription(shared: Arc<Shared>, from: AllFrom, filter: Filter) -> Answers {
    let next = {
        let log = shared.log();
        match from.from {
            Some(FromPosition::Position(after)) => {
                log.events.partition_point(|event| event.position <= after)
            }
            Some(FromPosition::End(_)) => log.events.len(),
            Some(FromPosition::Start(_)) | None => 0,
        }
    };
    let subscriber = Subscriber {
        written: shared.written.subscribe(),
        ended: shared.subscriptions_ended.subscribe(),
        shared,
        prefixes: filter.stream.unwrap_or_default().prefixes,
        window: filter.window.unwrap_or(32).max(1) as usize,
        next,
        considered: 0,
        is_live: false,
        waiting: VecDeque::from([ReadContent::Confirmation(Confirmation {
            subscription_id: uuid::Uuid::now_v7().to_string(),
        })]),
    };
    stream::unfold(subscriber, |mut subscriber| async {
        let answer = subscriber.next().await?;
        Some((Ok(response(answer)), subscriber))
    })
    .boxed()
}

struct Subscriber {
    shared: Arc<Shared>,
    written: watch::Receiver<usize>,
    ended: watch::Receiver<u64>,
    prefixes: Vec<String>,
    window: usize,
    next: usize,
    considered: usize,
    is_live: bool,
    waiting: VecDeque<ReadContent>,
}

impl Subscriber {
    /// `None`, an end without an error, only when a test asks for it: the server never ends
    /// a subscription so.
    async fn next(&mut self) -> Option<ReadContent> {
        loop {
            if let Some(content) = self.waiting.pop_front() {
                return Some(content);
            }
            self.written.borrow_and_update();
            self.look();
            if !self.waiting.is_empty() {
                continue;
            }
            if !self.is_live {
                self.is_live = true;
                return Some(ReadContent::CaughtUp(Empty {}));
            }
            tokio::select! {
                _ = self.written.changed() => {}
                _ = self.ended.changed() => return None,
            }
        }
    }

    fn look(&mut self) {
        let log = self.shared.log();
        for event in log.events.iter().skip(self.next).take(self.window) {
            self.next += 1;
            self.considered += 1;
            let is_for_us = self.prefixes.is_empty()
                || self.prefixes.iter().any(|p| event.stream.starts_with(p));
            if is_for_us {
                self.waiting.push_back(ReadContent::Event(event.to_wire()));
            }
            if self.considered.is_multiple_of(self.window) {
                let Position { commit, prepare } = event.position;
                self.waiting
                    .push_back(ReadContent::Checkpoint(Position { commit, prepare }));
            }
        }
    }
}
