//! What the subscription has delivered and the projector has not applied yet.

use chrono::{DateTime, Utc};

use super::apply::recorded_at;
use super::batch::Delivered;
use super::observer::StoreObserver;
use crate::application::GameId;
use crate::event_store::SubscriptionMessage;

/// The maximum number of events that wait while a batch is applied: about one transaction's worth
/// during catch-up. More would use memory without being faster.
const WAITING: usize = 32_768;

/// The maximum number of events that are taken from the subscription at once.
pub(super) const CHUNK: usize = 4_096;

/// Messages in the order of the subscription. The observer hears of them when they are added.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) delivered: Vec<Delivered>,
    /// Whether the store had no more events when it delivered the last of these.
    pub(super) caught_up: bool,
    /// The subscription lost its connection. Nothing more is taken from it.
    pub(super) is_disconnected: bool,
    /// Whether the subscription has ever caught up.
    has_caught_up: bool,
    /// There was no room, so deletions may be heard late.
    is_late: bool,
}

impl Waiting {
    /// Whether another chunk may be added.
    pub(super) fn takes_more(&self) -> bool {
        self.delivered.len() < WAITING && !self.is_disconnected
    }

    /// Adds at most [`CHUNK`] messages: all that were ready, if they are fewer.
    pub(super) fn add(&mut self, messages: Vec<SubscriptionMessage>, observer: &dyn StoreObserver) {
        let were_all = messages.len() < CHUNK;
        for message in messages {
            match message {
                SubscriptionMessage::Recorded(event) => {
                    observer.recorded(&event);
                    self.delivered.push(Delivered::Event(event));
                }
                SubscriptionMessage::StreamTruncated(stream) => {
                    if let Some(game) = GameId::of_stream(&stream) {
                        observer.stream_truncated(game);
                        self.delivered.push(Delivered::Truncated(game));
                    }
                }
                SubscriptionMessage::CaughtUp => {
                    observer.is_following(true);
                    self.caught_up = true;
                    self.has_caught_up = true;
                    self.is_late = false;
                }
                SubscriptionMessage::Disconnected => {
                    // At once: what is waiting is applied before the projector subscribes again.
                    observer.is_following(false);
                    self.is_disconnected = true;
                    // The next subscription delivers the messages after this one again.
                    return;
                }
            }
        }
        if !self.takes_more() {
            self.is_late = true;
            observer.is_following(false);
        } else if self.is_late && self.has_caught_up && were_all {
            // The subscription did not fall behind, so it does not say that it has caught up again.
            self.is_late = false;
            observer.is_following(true);
        }
    }

    /// When the oldest of these events was recorded.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.delivered.iter().find_map(recorded_at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;
    use crate::event_store::{RecordedEvent, StreamRevision};

    #[derive(Debug, Default)]
    struct Told(AtomicBool);

    impl StoreObserver for Told {
        fn is_following(&self, is_following: bool) {
            self.0.store(is_following, Ordering::Relaxed);
        }

        fn recorded(&self, _: &RecordedEvent) {}

        fn stream_truncated(&self, _: GameId) {}

        fn store_restored(&self) {}
    }

    fn events(count: usize) -> Vec<SubscriptionMessage> {
        let event = RecordedEvent {
            id: Uuid::nil(),
            stream: GameId::generate().stream(),
            revision: StreamRevision::FIRST,
            position: "1".parse().expect("a position"),
            event_type: "GameStarted".into(),
            data: Bytes::new(),
            metadata: Bytes::new(),
            recorded_at: Utc::now(),
        };
        vec![SubscriptionMessage::Recorded(event); count]
    }

    /// Adds chunks until there is no room.
    fn fill(waiting: &mut Waiting, told: &Told) {
        while waiting.takes_more() {
            waiting.add(events(CHUNK), told);
        }
    }

    #[test]
    fn deletions_are_not_heard_in_time_while_there_is_no_room_and_until_everything_was_taken() {
        let (mut waiting, told) = (Waiting::default(), Told::default());
        let is_following = || told.0.load(Ordering::Relaxed);
        waiting.add(vec![SubscriptionMessage::CaughtUp], &told);
        assert!(is_following());
        fill(&mut waiting, &told);
        assert!(!is_following());
        waiting.delivered.clear();
        waiting.add(events(CHUNK), &told);
        assert!(!is_following(), "more may be ready");
        waiting.add(events(1), &told);
        assert!(is_following());
    }

    #[test]
    fn deletions_are_not_heard_from_the_moment_of_a_disconnection() {
        let (mut waiting, told) = (Waiting::default(), Told::default());
        waiting.add(vec![SubscriptionMessage::CaughtUp], &told);
        let mut messages = events(1);
        messages.push(SubscriptionMessage::Disconnected);
        waiting.add(messages, &told);
        assert!(!told.0.load(Ordering::Relaxed));
    }

    #[test]
    fn a_subscription_that_has_never_caught_up_is_not_followed_after_there_was_no_room() {
        let (mut waiting, told) = (Waiting::default(), Told::default());
        fill(&mut waiting, &told);
        waiting.delivered.clear();
        waiting.add(events(1), &told);
        assert!(!told.0.load(Ordering::Relaxed));
    }
}
