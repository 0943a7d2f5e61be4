//! Subscriptions, and how they recover from lost connections and restarts.

use std::collections::HashMap;
use std::time::Duration;

use connect_four::event_store::{EventStore, StreamName, Subscription, SubscriptionMessage};

use tracing::level_filters::LevelFilter;

use crate::double::proxy::Proxy;
use crate::double::{Double, Expected, wire::Empty};
use crate::support::{
    PREFIX, append, at, begin, impatient_store_on, new_event, new_stream, next_event, next_message,
    proposal, store_on, until, until_caught_up,
};

/// Stores events of another stream, which the filter of the subscription leaves out.
fn store_noise(double: &Double, count: usize) {
    for _ in 0..count {
        double.store("$stats-1", Expected::Any(Empty {}), vec![proposal("{}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_events_come_first_then_caught_up_then_new_events() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    let first = begin(&store, &stream).await;
    store_noise(&double, 10);

    let mut subscription = store.subscribe_all(PREFIX, None);
    let history = until_caught_up(&mut subscription).await;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].id, first.id);
    assert_eq!(history[0].stream, stream);

    let second = new_event();
    let appended = append(&store, &stream, at(0), &second).await.expect("at 0");
    let event = next_event(&mut subscription).await;
    assert_eq!((event.id, event.position), (second.id, appended.position));
    assert_eq!(event.data, second.data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_resumes_after_the_position_of_a_delivered_event() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    let head = store.head().await.expect("it answers");
    let second = new_event();
    append(&store, &stream, at(0), &second).await.expect("at 0");

    let mut subscription = store.subscribe_all(PREFIX, head);
    assert_eq!(next_event(&mut subscription).await.id, second.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_event_is_delivered_once_and_in_order_over_three_restarts() {
    let mut double = Double::start().await;
    let store = store_on(&double).await;
    let streams: Vec<StreamName> = (0..4).map(|_| new_stream()).collect();
    let names: Vec<String> = streams.iter().map(ToString::to_string).collect();
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;

    let reader = tokio::spawn(async move {
        let mut seen: HashMap<String, u64> = HashMap::new();
        let mut last = None;
        for _ in 0..440 {
            let event = next_event(&mut subscription).await;
            assert!(last < Some(event.position), "out of order");
            last = Some(event.position);
            let revisions = seen.entry(event.stream.to_string()).or_default();
            assert_eq!(event.revision.number(), *revisions, "a gap or a repeat");
            *revisions += 1;
        }
        seen
    });
    let store_some = |double: &Double, count| {
        for name in (0..count).flat_map(|_| &names) {
            double.store(name, Expected::Any(Empty {}), vec![proposal("{}")]);
            store_noise(double, 30);
        }
    };
    store_some(&double, 20);
    for _ in 0..3 {
        double.stop().await;
        // First while the subscription is disconnected, then while it reconnects.
        store_some(&double, 10);
        double.start_again();
        let subscriptions = double.calls().subscriptions;
        store_some(&double, 10);
        until(|| async { double.calls().subscriptions > subscriptions }).await;
        store_some(&double, 10);
    }
    let seen = reader.await.expect("the reader saw all");
    assert!(names.iter().all(|name| seen[name] == 110), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_waits_for_a_database_that_is_not_up_yet() {
    let mut double = Double::reserve();
    double.store("game-1", Expected::Any(Empty {}), vec![proposal("{}")]);
    let store = store_on(&double).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    let not_yet = tokio::time::timeout(Duration::from_millis(50), next_message(&mut subscription));
    assert!(not_yet.await.is_err());
    double.start_again();
    assert_eq!(until_caught_up(&mut subscription).await.len(), 1);
}

/// In this case the crate loops endlessly and occupies a worker thread for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_subscription_that_ends_without_an_error_is_replaced() {
    // The adapter leaves the loop through a log event of the crate. That has to work even if the
    // service has switched off logging.
    let _ = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::OFF)
        .try_init();
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    assert_eq!(until_caught_up(&mut subscription).await.len(), 1);

    let subscriptions = double.calls().subscriptions;
    double.end_subscriptions();
    let second = new_event();
    append(&store, &stream, at(0), &second).await.expect("at 0");
    assert_eq!(next_event(&mut subscription).await.id, second.id);
    assert!(double.calls().subscriptions > subscriptions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_reported_once_and_then_that_it_has_caught_up_again() {
    let mut double = Double::start().await;
    let store = store_on(&double).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;
    double.stop().await;
    assert!(matches!(
        next_message(&mut subscription).await,
        SubscriptionMessage::Disconnected
    ));
    // Long enough for several connection attempts.
    let silence = tokio::time::timeout(Duration::from_millis(400), next_message(&mut subscription));
    assert!(silence.await.is_err());
    double.start_again();
    assert!(matches!(
        next_message(&mut subscription).await,
        SubscriptionMessage::CaughtUp
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_without_new_events_sends_regular_signs_of_life() {
    let double = Double::start().await;
    let store = impatient_store_on(&double.connection_string(), 200).await;
    begin(&store, &new_stream()).await;
    store_noise(&double, 3);
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;
    let subscriptions = double.calls().subscriptions;
    for _ in 0..5 {
        assert!(matches!(
            next_message(&mut subscription).await,
            SubscriptionMessage::CaughtUp
        ));
    }
    assert_eq!(double.calls().subscriptions, subscriptions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_a_firewall_dropped_is_replaced() {
    let double = Double::start().await;
    let proxy = Proxy::to(double.address()).await;
    let store = impatient_store_on(&proxy.connection_string(), 100).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;

    proxy.forget_connections();
    until_disconnected(&mut subscription).await;
    double.store("game-1", Expected::Any(Empty {}), vec![proposal("{}")]);
    assert_eq!(
        next_event(&mut subscription).await.stream.as_str(),
        "game-1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_misses_an_event_is_replaced_although_its_connection_works() {
    let double = Double::start().await;
    let store = impatient_store_on(&double.connection_string(), 200).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;

    double.stall_subscriptions();
    double.store("game-1", Expected::Any(Empty {}), vec![proposal("{}")]);
    until_disconnected(&mut subscription).await;
    assert_eq!(
        next_event(&mut subscription).await.stream.as_str(),
        "game-1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_shuts_down_without_closing_connections_is_noticed() {
    let mut double = Double::start().await;
    let store = impatient_store_on(&double.connection_string(), 100).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;

    double.begin_shutdown().await;
    until_disconnected(&mut subscription).await;
    double.stop().await;
    double.store("game-1", Expected::Any(Empty {}), vec![proposal("{}")]);
    double.start_again();
    assert_eq!(
        next_event(&mut subscription).await.stream.as_str(),
        "game-1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_at_the_position_of_a_checkpoint_is_delivered() {
    let double = Double::start().await;
    double.send_checkpoints_ahead();
    let store = store_on(&double).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;
    for number in 0..20 {
        store_noise(&double, 1);
        if number % 2 == 0 {
            // Also when the subscription resumes between the checkpoint and the event.
            double.cut_connections();
            until_disconnected(&mut subscription).await;
            until_caught_up(&mut subscription).await;
        }
        let event = proposal("{}");
        let id = event.id;
        double.store("game-1", Expected::Any(Empty {}), vec![event]);
        assert_eq!(next_event(&mut subscription).await.id, id);
    }
}

/// The situation after a backup was restored: the position is not that of an event any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_from_a_position_without_an_event_waits_and_keeps_the_client() {
    let double = Double::start().await;
    let store = impatient_store_on(&double.connection_string(), 100).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    let backup = double.snapshot();
    for revision in 0..3 {
        append(&store, &stream, at(revision), &new_event())
            .await
            .expect("nobody else writes");
    }
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;

    double.restore(&backup);
    let longer = "{\"longer\": \"than what was there\"}".repeat(20);
    for _ in 0..3 {
        double.store("game-1", Expected::Any(Empty {}), vec![proposal(&longer)]);
    }
    until_disconnected(&mut subscription).await;
    let clients = double.calls().features;
    // The subscription reports that the database answers. The caller finds out about the restore.
    for _ in 0..5 {
        assert!(matches!(
            next_message(&mut subscription).await,
            SubscriptionMessage::CaughtUp
        ));
    }
    assert!(double.calls().features <= clients + 2);
}

async fn until_disconnected(subscription: &mut Subscription) {
    while !matches!(
        next_message(subscription).await,
        SubscriptionMessage::Disconnected
    ) {}
}
