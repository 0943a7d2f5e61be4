//! The one subscription of the process.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::sleep;

use super::{LiveEvent, PlacedEvent, Renders, Shared};
use crate::application::{GAME_STREAM_PREFIX, GameId};
use crate::event_store::{EventStore, GlobalPosition, RecordedEvent, SubscriptionMessage};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Tells the watchers of every event that is recorded from now on. Does not end.
pub(super) async fn listen(store: Arc<dyn EventStore>, renders: Renders, shared: Arc<Shared>) {
    loop {
        let head = head(&*store).await;
        let mut subscription = store.subscribe_all(GAME_STREAM_PREFIX, head);
        // What a watcher reads from here on is as new as the position, or newer.
        shared.listening.send_replace(true);
        while let Some(message) = subscription.next().await {
            match message {
                SubscriptionMessage::Recorded(event) => tell(&shared, &event, renders),
                SubscriptionMessage::CaughtUp
                | SubscriptionMessage::StreamTruncated(_)
                | SubscriptionMessage::Disconnected => {}
            }
        }
        // Stores promise that this does not happen. Who watches is cut off, since nobody
        // knows what they miss, and may come again.
        tracing::error!("the store's subscription ended; listening anew");
        shared.listening.send_replace(false);
        shared.registry.cut_off();
        shared.everything.cut_off();
        sleep(FIRST_PAUSE).await;
    }
}

/// Where the store is now, as soon as it says so.
async fn head(store: &dyn EventStore) -> Option<GlobalPosition> {
    let mut pause = FIRST_PAUSE;
    loop {
        match store.head().await {
            Ok(head) => return head,
            Err(error) => {
                tracing::warn!(%error, ?pause, "nobody can watch games yet: the store does not say where it is");
            }
        }
        sleep(pause.mul_f64(0.75 + fastrand::f64() / 4.0)).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

fn tell(shared: &Shared, event: &RecordedEvent, renders: Renders) {
    shared.everything.tell(|| PlacedEvent {
        position: event.position,
        rendered: (renders.of_all_games)(event),
    });
    let watched = GameId::of_stream(&event.stream).and_then(|game| shared.registry.get(game));
    if let Some(watchers) = watched {
        // An error says that the last watcher has just gone.
        let _ = watchers.send(Arc::new(LiveEvent::of(event, renders.of_a_game)));
    }
}
