//! The hub: one subscription for all watchers, also when the store fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use connect_four::application::GameId;
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
    SubscriptionMessage,
};
use connect_four::live::{Interrupted, Live, Rendered, Renders};
use futures_util::{FutureExt, StreamExt, stream};
use reqwest::Method;
use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

use crate::service::Service;
use crate::watcher::{FORMATS, SSE};

/// A store that counts its calls, and can fail at first.
#[derive(Debug)]
struct Observed {
    store: MemoryStore,
    subscriptions: AtomicUsize,
    heads: AtomicUsize,
    heads_that_fail: usize,
    heads_that_panic: usize,
    /// Ends the first subscription, which the port does not allow.
    end: Arc<Notify>,
    is_down: AtomicBool,
    /// Messages that are delivered to every subscription as if the store had sent them.
    sent: broadcast::Sender<SubscriptionMessage>,
}

impl Default for Observed {
    fn default() -> Observed {
        Observed {
            store: MemoryStore::new(),
            subscriptions: AtomicUsize::new(0),
            heads: AtomicUsize::new(0),
            heads_that_fail: 0,
            heads_that_panic: 0,
            end: Arc::default(),
            is_down: AtomicBool::new(false),
            sent: broadcast::Sender::new(16),
        }
    }
}

impl Observed {
    fn send(&self, message: SubscriptionMessage) {
        let sent = self.sent.send(message);
        sent.expect("a subscription is there");
    }
}

#[async_trait]
impl EventStore for Observed {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.store.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.store.read_stream(stream, from).await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        self.store.read_all(prefix, after, limit).await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.store.event_at(position).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        let sent = stream::unfold(self.sent.subscribe(), async |mut sent| {
            let message = sent.recv().await.ok()?;
            Some((message, sent))
        });
        let events = stream::select(self.store.subscribe_all(prefix, after), sent).boxed();
        // The subscription of the read model begins at the start.
        if after.is_none() {
            return events;
        }
        if self.subscriptions.fetch_add(1, Ordering::SeqCst) > 0 {
            return events;
        }
        let end = self.end.clone();
        events
            .take_until(async move { end.notified().await })
            .boxed()
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        let earlier = self.heads.fetch_add(1, Ordering::SeqCst);
        assert!(
            earlier >= self.heads_that_panic,
            "a panic that the test wants"
        );
        if earlier < self.heads_that_fail || self.is_down.load(Ordering::SeqCst) {
            let reason = "away for a moment".to_owned();
            return Err(EventStoreError::Unavailable { reason });
        }
        self.store.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.store.check().await
    }

    fn location(&self) -> String {
        self.store.location()
    }
}

#[tokio::test]
async fn all_watchers_share_one_subscription_that_ends_with_the_last_of_them() {
    let store = Arc::new(Observed::default());
    let service = Service::on(store.clone()).await;
    let one = service.game_with("D").await;
    let other = service.game_with("D").await;
    assert_eq!(store.subscriptions.load(Ordering::SeqCst), 0);
    let mut watchers = Vec::new();
    for game in [&one, &other] {
        for format in FORMATS {
            for after in [None, Some(0), Some(1)] {
                watchers.push(game.watch(format, after).await);
            }
        }
        let poll = service.request(Method::GET, &game.path(""));
        let poll = poll.header("if-none-match", "\"1\"");
        poll.header("prefer", "wait=0").send().await.is(304);
    }
    assert_eq!(service.live.watchers(), 12);
    drop(watchers);
    service.has_watchers(0).await;
    one.watch(SSE, None).await;
    assert_eq!(store.subscriptions.load(Ordering::SeqCst), 1);
    assert_eq!(store.heads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_hub_subscribes_again_when_the_store_fails_at_the_first_watcher() {
    let store = Arc::new(Observed {
        heads_that_fail: 3,
        ..Observed::default()
    });
    let service = Service::on(store.clone()).await;
    let game = service.game_with("D").await;
    let mut watcher = game.watch(SSE, Some(1)).await;
    assert_eq!(store.heads.load(Ordering::SeqCst), 4);
    game.move_by("grace", "D").await.is(201);
    assert_eq!(watcher.next().await.expect("an event")["revision"], 2);
}

#[tokio::test(start_paused = true)]
async fn no_watcher_waits_forever_for_a_store_that_stays_unavailable() {
    let store = Arc::new(Observed::default());
    store.is_down.store(true, Ordering::SeqCst);
    let live = Live::new(store, NOTHING);
    let watching = live.watch(GameId::generate());
    let waited = tokio::time::timeout(Duration::from_secs(60), watching);
    assert!(
        waited.await.is_err(),
        "the timeout of the handler ends the request"
    );
    assert_eq!(live.watchers(), 0);
    live.stop();
    live.watch(GameId::generate())
        .now_or_never()
        .expect("no wait after shutdown");
}

#[tokio::test]
async fn a_subscription_that_ends_disconnects_watchers_and_is_replaced() {
    let store = Arc::new(Observed::default());
    let service = Service::on(store.clone()).await;
    let game = service.game_with("D").await;
    let mut watchers = Vec::new();
    for format in FORMATS {
        watchers.push(game.watch(format, Some(1)).await);
        watchers.push(service.watch("/events?after=1", format).open().await);
    }
    store.end.notify_one();
    for mut watcher in watchers {
        // A normal end would look like the end of the game, and clients would not resume.
        watcher.try_next().await.expect_err("the stream is cut off");
    }
    let mut watcher = game.watch(SSE, Some(1)).await;
    game.move_by("grace", "D").await.is(201);
    assert_eq!(watcher.next().await.expect("an event")["revision"], 2);
    assert_eq!(store.subscriptions.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn events_that_were_read_are_skipped_and_a_gap_ends_the_stream() {
    let store = MemoryStore::new();
    let live = Live::new(Arc::new(store.clone()), NOTHING);
    let game = GameId::generate();
    let mut skipping = live.watch(game).await.after(StreamRevision::new(1));
    let mut missing = live.watch(game).await.after(StreamRevision::new(0));
    append_moves(&store, game, 3).await;
    let heard = skipping.next().await.expect("an event");
    assert_eq!(heard.revision.number(), 2);

    let mut late = live.watch(game).await.after(StreamRevision::new(0));
    append_moves(&store, game, 1).await;
    assert_eq!(late.next().await.err(), Some(Interrupted::Behind));
    for revision in 1..=3 {
        let heard = missing.next().await.expect("an event");
        assert_eq!(heard.revision.number(), revision);
    }
}

#[tokio::test]
async fn a_watcher_may_be_one_whole_game_behind_but_not_much_more() {
    for (events, expected) in [(64, None), (65, Some(Interrupted::Behind))] {
        let store = MemoryStore::new();
        let live = Live::new(Arc::new(store.clone()), NOTHING);
        let game = GameId::generate();
        append_moves(&store, game, 1).await;
        let mut slow = live.watch(game).await.after(StreamRevision::FIRST);
        let last = StreamRevision::new(events);
        let mut quick = live.watch(game).await.after(StreamRevision::FIRST);
        for _ in 0..events {
            append_moves(&store, game, 1).await;
            quick.next().await.expect("an event");
        }
        drop(quick);
        assert_eq!(slow.next().await.err(), expected);
        assert_eq!(
            slow.next().await.is_ok(),
            expected.is_none(),
            "up to {last}"
        );
    }
}

#[tokio::test]
async fn deleting_a_game_disconnects_only_its_own_watchers() {
    let store = Arc::new(Observed::default());
    let live = Live::new(store.clone(), NOTHING);
    let (deleted, other) = (GameId::generate(), GameId::generate());
    for game in [deleted, other] {
        append_moves(&store.store, game, 1).await;
    }
    let mut of_the_deleted = live.watch(deleted).await.after(StreamRevision::FIRST);
    let mut of_the_other = live.watch(other).await.after(StreamRevision::FIRST);
    let mut of_all = live.watch_all().await;
    store.send(SubscriptionMessage::StreamTruncated(deleted.stream()));
    assert_eq!(of_the_deleted.next().await.err(), Some(Interrupted::Behind));
    append_moves(&store.store, other, 1).await;
    assert_eq!(
        of_the_other
            .next()
            .await
            .expect("an event")
            .revision
            .number(),
        1
    );
    of_all.after(None).await.expect("an event");
    drop(of_the_deleted);
    assert_eq!(live.watchers(), 2);
}

#[tokio::test]
async fn watchers_stay_connected_while_the_store_is_unavailable() {
    let store = Arc::new(Observed::default());
    let live = Live::new(store.clone(), NOTHING);
    let game = GameId::generate();
    append_moves(&store.store, game, 1).await;
    let mut watcher = live.watch(game).await.after(StreamRevision::FIRST);
    let mut of_all = live.watch_all().await;
    store.send(SubscriptionMessage::Disconnected);
    store.send(SubscriptionMessage::CaughtUp);
    append_moves(&store.store, game, 1).await;
    assert_eq!(watcher.next().await.expect("an event").revision.number(), 1);
    of_all.after(None).await.expect("an event");
    assert_eq!(store.subscriptions.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn after_a_restore_reconnected_watchers_receive_what_follows_the_new_head() {
    let store = Arc::new(Observed::default());
    let live = Live::new(store.clone(), NOTHING);
    let game = GameId::generate();
    append_moves(&store.store, game, 1).await;
    for restores in 1..=3 {
        let mut watcher = live.watch(game).await.after(StreamRevision::FIRST);
        let mut of_all = live.watch_all().await;
        live.start_again();
        assert_eq!(watcher.next().await.err(), Some(Interrupted::Behind));
        assert_eq!(of_all.after(None).await.err(), Some(Interrupted::Behind));
        let mut watcher = live
            .watch(game)
            .await
            .after(StreamRevision::new(restores - 1));
        let mut of_all = live.watch_all().await;
        append_moves(&store.store, game, 1).await;
        let heard = watcher.next().await.expect("an event");
        assert_eq!(heard.revision.number(), restores);
        of_all.after(None).await.expect("an event");
        let subscriptions = store.subscriptions.load(Ordering::SeqCst);
        assert_eq!(subscriptions as u64, restores + 1);
    }
}

#[tokio::test]
async fn after_shutdown_no_watcher_receives_events() {
    let store = MemoryStore::new();
    let live = Live::new(Arc::new(store.clone()), NOTHING);
    let game = GameId::generate();
    let mut before = live.watch(game).await.after(StreamRevision::FIRST);
    live.stop();
    assert_eq!(before.next().await.err(), Some(Interrupted::Stopped));
    let mut after = live.watch(game).await.after(StreamRevision::FIRST);
    assert_eq!(after.next().await.err(), Some(Interrupted::Stopped));
    assert_eq!(live.watchers(), 0);
}

/// Whether the next event panics when it is rendered.
static PANIC_IS_DUE: AtomicBool = AtomicBool::new(false);

const PANICS_ONCE: Renders = Renders {
    of_a_game: |event| {
        let is_due = PANIC_IS_DUE.swap(false, Ordering::SeqCst);
        assert!(!is_due, "a panic that the test wants");
        nothing(event)
    },
    of_all_games: nothing,
};

#[tokio::test]
async fn a_hub_that_panics_disconnects_its_watchers_and_is_restarted() {
    let store = Arc::new(Observed {
        heads_that_panic: 2,
        ..Observed::default()
    });
    let live = Live::new(store.clone(), PANICS_ONCE);
    let game = GameId::generate();
    append_moves(&store.store, game, 1).await;
    let soon = Duration::from_secs(20);
    let watching = tokio::time::timeout(soon, live.watch(game)).await;
    watching.expect("the hub listens in spite of two panics");

    let mut watcher = live.watch(game).await.after(StreamRevision::FIRST);
    PANIC_IS_DUE.store(true, Ordering::SeqCst);
    append_moves(&store.store, game, 1).await;
    let next = tokio::time::timeout(soon, watcher.next()).await;
    let next = next.expect("the watcher ends, so that its client resumes");
    assert_eq!(next.err(), Some(Interrupted::Behind));

    let mut watcher = live.watch(game).await.after(StreamRevision::new(1));
    append_moves(&store.store, game, 1).await;
    let next = tokio::time::timeout(soon, watcher.next()).await;
    let next = next.expect("the hub was restarted").expect("an event");
    assert_eq!(next.revision.number(), 2);
}

const NOTHING: Renders = Renders {
    of_a_game: nothing,
    of_all_games: nothing,
};

fn nothing(_: &RecordedEvent) -> Rendered {
    Rendered {
        server_sent: Bytes::new(),
        line: Bytes::new(),
    }
}

async fn append_moves(store: &MemoryStore, game: GameId, moves: usize) {
    let stream = game.stream();
    for _ in 0..moves {
        let end = store.read_stream(&stream, StreamRevision::FIRST).await;
        let end = end.expect("a store in memory").last_revision;
        let event = NewEvent {
            id: Uuid::now_v7(),
            event_type: "MoveMade".into(),
            data: Bytes::from_static(br#"{"player":"ada","column":"D"}"#),
            metadata: Bytes::new(),
        };
        let appended = store.append(&stream, ExpectedRevision::at(end), vec![event]);
        appended.await.expect("there is no other writer");
    }
}
