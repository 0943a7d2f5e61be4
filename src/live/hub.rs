//! The task that forwards events from the store to the watchers. It holds the one subscription of
//! the process.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, sleep};

use super::all_games::PlacedEvent;
use super::event::{LiveEvent, Renders};
use super::shared::Shared;
use crate::application::{GAME_STREAM_PREFIX, GameId};
use crate::backoff::Backoff;
use crate::event_store::{
    EventStore, GlobalPosition, RecordedEvent, Subscription, SubscriptionMessage,
};
use crate::panics::caught;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Sends every event that is recorded from now on to the watchers. Never returns.
pub(super) async fn listen(store: Arc<dyn EventStore>, renders: Renders, shared: Arc<Shared>) {
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        let began = Instant::now();
        if let Err(error) = caught(listen_once(&*store, renders, &shared)).await {
            tracing::error!(%error, "the hub of the watchers failed: {error}; it is restarted");
        }
        // First, so that a watcher added from here on waits for the next subscription. The other
        // watchers may miss events, so they are ended; their clients can resume.
        shared.listening.send_replace(false);
        shared.registry.end_watchers();
        shared.all_games.end_watchers();
        if began.elapsed() > LONGEST_PAUSE {
            pauses.reset();
        }
        sleep(pauses.next_pause()).await;
    }
}

/// Returns when the hub has to subscribe again.
async fn listen_once(store: &dyn EventStore, renders: Renders, shared: &Shared) {
    // Before the head is read, so that a restart from here on is not missed.
    let mut restarts = shared.restarts.subscribe();
    let head = head(store).await;
    let subscription = store.subscribe_all(GAME_STREAM_PREFIX, head);
    // Whatever a watcher reads from here on includes all events up to the head.
    shared.listening.send_replace(true);
    tokio::select! {
        biased;
        // Cannot fail: `shared` keeps the sender alive.
        _ = restarts.changed() => {}
        () = forward(shared, subscription, renders) => {
            tracing::error!("the subscription of the store ended, which is a defect of the store; subscribing again");
        }
    }
}

/// Sends the events of the subscription to the watchers until the subscription ends. The stores
/// guarantee that it does not end.
async fn forward(shared: &Shared, mut subscription: Subscription, renders: Renders) {
    while let Some(message) = subscription.next().await {
        match message {
            SubscriptionMessage::Recorded(event) => send(shared, &event, renders),
            SubscriptionMessage::StreamTruncated(stream) => {
                // A client that reconnects is told whether the game still exists.
                if let Some(game) = GameId::of_stream(&stream) {
                    shared.registry.end_watchers_of(game);
                }
            }
            // Watchers miss nothing: the subscription resumes after the last event it delivered.
            SubscriptionMessage::Disconnected | SubscriptionMessage::CaughtUp => {}
        }
    }
}

/// The position of the latest event in the store. Retries until the store answers.
async fn head(store: &dyn EventStore) -> Option<GlobalPosition> {
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        match store.head().await {
            Ok(head) => return head,
            Err(error) => {
                tracing::warn!(%error, "games cannot be watched yet: the store does not report its latest position");
            }
        }
        sleep(pauses.next_pause()).await;
    }
}

fn send(shared: &Shared, event: &RecordedEvent, renders: Renders) {
    shared.all_games.send(|| PlacedEvent {
        position: event.position,
        rendered: (renders.of_all_games)(event),
    });
    let watched = GameId::of_stream(&event.stream).and_then(|game| shared.registry.get(game));
    if let Some(watchers) = watched {
        // An error means that the last watcher has just been dropped.
        let _ = watchers.send(Arc::new(LiveEvent::of(event, renders.of_a_game)));
    }
}
