//! The one subscription of the process.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::sleep;

use super::all_games::PlacedEvent;
use super::event::{LiveEvent, Renders};
use super::shared::Shared;
use crate::application::{GAME_STREAM_PREFIX, GameId};
use crate::backoff::Backoff;
use crate::event_store::{
    EventStore, GlobalPosition, RecordedEvent, Subscription, SubscriptionMessage,
};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Tells the watchers of every event that is recorded from now on. Does not end.
pub(super) async fn listen(store: Arc<dyn EventStore>, renders: Renders, shared: Arc<Shared>) {
    let mut restarts = shared.restarts.subscribe();
    loop {
        // Before the store is asked where it is, so that a restart from here on is heard.
        restarts.mark_unchanged();
        let head = head(&*store).await;
        let subscription = store.subscribe_all(GAME_STREAM_PREFIX, head);
        // What a watcher reads from here on is as new as the position, or newer.
        shared.listening.send_replace(true);
        tokio::select! {
            biased;
            // An error would say that the sender is gone, which we hold ourselves.
            _ = restarts.changed() => {}
            () = tell_all(&shared, subscription, renders) => {
                tracing::error!("the store's subscription ended, which no store may do; the live hub subscribes again");
            }
        }
        // First, so that a watcher that comes from here on waits for the next subscription. It
        // is not known what the others miss; they may come again.
        shared.listening.send_replace(false);
        shared.registry.cut_off();
        shared.all_games.cut_off();
        sleep(FIRST_PAUSE).await;
    }
}

/// Tells what the subscription delivers, to its end, which does not come as stores promise.
async fn tell_all(shared: &Shared, mut subscription: Subscription, renders: Renders) {
    while let Some(message) = subscription.next().await {
        match message {
            SubscriptionMessage::Recorded(event) => tell(shared, &event, renders),
            SubscriptionMessage::StreamTruncated(stream) => {
                // Who comes again is told whether the game is still there.
                if let Some(game) = GameId::of_stream(&stream) {
                    shared.registry.cut_off_game(game);
                }
            }
            // Watchers miss nothing: the subscription goes on where it was.
            SubscriptionMessage::Disconnected | SubscriptionMessage::CaughtUp => {}
        }
    }
}

/// Where the store is now, as soon as it says so.
async fn head(store: &dyn EventStore) -> Option<GlobalPosition> {
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        match store.head().await {
            Ok(head) => return head,
            Err(error) => {
                tracing::warn!(%error, "games cannot be watched yet: the store does not tell its head");
            }
        }
        sleep(pauses.next_pause()).await;
    }
}

fn tell(shared: &Shared, event: &RecordedEvent, renders: Renders) {
    shared.all_games.tell(|| PlacedEvent {
        position: event.position,
        rendered: (renders.of_all_games)(event),
    });
    let watched = GameId::of_stream(&event.stream).and_then(|game| shared.registry.get(game));
    if let Some(watchers) = watched {
        // An error says that the last watcher has just gone.
        let _ = watchers.send(Arc::new(LiveEvent::of(event, renders.of_a_game)));
    }
}
