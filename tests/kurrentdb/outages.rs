//! A database that is down, comes back, or stops answering.

use std::time::{Duration, Instant};

use connect_four::event_store::{
    EventStore, EventStoreError, ExpectedRevision, StreamRevision, SubscriptionMessage,
};
use futures_util::future::join_all;

use crate::double::Double;
use crate::double::proxy::Proxy;
use crate::log::Log;
use crate::support::{
    PREFIX, append, at, begin, ids, impatient_store_on, new_event, new_stream, next_message, soon,
    store_on, until, until_caught_up, until_not_ready, until_ready,
};

fn is_unavailable<T>(outcome: &Result<T, EventStoreError>) -> bool {
    matches!(outcome, Err(EventStoreError::Unavailable { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_opens_while_its_database_is_down_and_works_once_it_is_up() {
    let mut double = Double::reserve();
    let store = store_on(&double).await;
    let stream = new_stream();

    let asked = Instant::now();
    assert!(is_unavailable(&store.check().await));
    let refused = append(&store, &stream, ExpectedRevision::NoStream, &new_event()).await;
    assert!(is_unavailable(&refused), "{refused:?}");
    let read = store.read_stream(&stream, StreamRevision::FIRST).await;
    assert!(is_unavailable(&read));
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );

    double.start_again();
    until_ready(&store).await;
    let event = begin(&store, &stream).await;
    assert_eq!(ids(&double.stored(stream.as_str())), [event.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_lost_and_regained_with_the_database() {
    let mut double = Double::start().await;
    let store = store_on(&double).await;
    assert_eq!(store.check().await, Ok(()));
    for _ in 0..3 {
        double.stop().await;
        until_not_ready(&store).await;
        double.start_again();
        until_ready(&store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_unavailable_until_the_node_is_ready() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;

    double.be_unavailable(Some("Server Is Not Ready"));
    until_not_ready(&store).await;
    let error = store.check().await;
    assert!(
        matches!(&error, Err(EventStoreError::Unavailable { reason }) if reason.contains("Not Ready")),
        "{error:?}"
    );
    double.be_unavailable(None);
    until_ready(&store).await;
    append(&store, &stream, at(0), &new_event())
        .await
        .expect("it is back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_restarts_lose_no_acknowledged_event_and_store_none_twice() {
    let mut double = Double::start().await;
    let store = store_on(&double).await;

    let writers = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let stream = new_stream();
            let mut acknowledged = Vec::new();
            while acknowledged.len() < 100 {
                let expected = match acknowledged.len() {
                    0 => ExpectedRevision::NoStream,
                    length => at(length as u64 - 1),
                };
                let event = new_event();
                // Repeats the same append until its outcome is known.
                loop {
                    match append(&store, &stream, expected, &event).await {
                        Ok(appended) => {
                            assert_eq!(appended.revision.number(), acknowledged.len() as u64);
                            break acknowledged.push(event.id);
                        }
                        Err(
                            EventStoreError::Unavailable { .. }
                            | EventStoreError::OutcomeUnknown { .. },
                        ) => tokio::time::sleep(Duration::from_millis(10)).await,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
            (stream, acknowledged)
        })
    });
    let writers: Vec<_> = writers.collect();
    for appends in [300, 700, 1100] {
        until(|| async { double.calls().appends >= appends }).await;
        double.restart().await;
    }
    for written in soon(join_all(writers)).await {
        let (stream, acknowledged) = written.expect("no writer panicked");
        assert_eq!(ids(&double.stored(stream.as_str())), acknowledged);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_connection_causes_an_error_within_the_deadline_and_is_then_replaced() {
    let double = Double::start().await;
    let proxy = Proxy::to(double.address()).await;
    let store = impatient_store_on(&proxy.connection_string(), 200).await;
    let stream = new_stream();
    begin(&store, &stream).await;

    proxy.freeze();
    let event = new_event();
    let asked = Instant::now();
    let outcome = append(&store, &stream, at(0), &event).await;
    assert!(
        matches!(outcome, Err(EventStoreError::OutcomeUnknown { .. })),
        "{outcome:?}"
    );
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    until_not_ready(&store).await;

    proxy.thaw();
    until_ready(&store).await;
    append(&store, &stream, at(0), &event)
        .await
        .expect("the repeated append succeeds, whether or not it was stored before");
    assert_eq!(double.stored(stream.as_str()).len(), 2);
    assert_eq!(double.stored(stream.as_str())[1].id, event.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_that_fail_at_once_create_one_new_client_and_not_many() {
    let mut double = Double::start().await;
    let store = store_on(&double).await;
    begin(&store, &new_stream()).await;
    double.stop().await;

    let callers = (0..200).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            append(
                &store,
                &new_stream(),
                ExpectedRevision::NoStream,
                &new_event(),
            )
            .await
        })
    });
    for outcome in join_all(callers).await {
        let outcome = outcome.expect("no caller panicked");
        assert!(
            matches!(
                outcome,
                Err(EventStoreError::Unavailable { .. } | EventStoreError::OutcomeUnknown { .. })
            ),
            "{outcome:?}"
        );
    }
    let clients = double.calls().features;
    double.start_again();
    until_ready(&store).await;
    assert_eq!(double.calls().features, clients + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_a_firewall_dropped_is_replaced_even_if_all_callers_give_up_early() {
    let double = Double::start().await;
    let proxy = Proxy::to(double.address()).await;
    let store = impatient_store_on(&proxy.connection_string(), 200).await;
    assert_eq!(store.check().await, Ok(()));

    proxy.forget_connections();
    until(|| async {
        let asked = tokio::time::timeout(Duration::from_millis(50), store.check());
        asked.await == Ok(Ok(()))
    })
    .await;
}

/// Runs on one thread, because the test captures that thread's log.
#[tokio::test]
async fn an_outage_is_logged_once_at_its_beginning_and_once_at_its_end_however_many_calls_fail() {
    let log = Log::read();
    let mut double = Double::start().await;
    let store = store_on(&double).await;
    let mut subscriptions = Vec::new();
    for _ in 0..3 {
        let mut subscription = store.subscribe_all(PREFIX, None);
        until_caught_up(&mut subscription).await;
        subscriptions.push(subscription);
    }
    double.stop().await;
    until_not_ready(&store).await;
    for subscription in &mut subscriptions {
        while !matches!(
            next_message(subscription).await,
            SubscriptionMessage::Disconnected
        ) {}
    }
    for _ in 0..200 {
        let outcome = append(
            &store,
            &new_stream(),
            ExpectedRevision::NoStream,
            &new_event(),
        )
        .await;
        assert!(outcome.is_err());
    }
    double.start_again();
    until_ready(&store).await;
    for subscription in &mut subscriptions {
        until_caught_up(subscription).await;
    }

    assert_eq!(log.lines_with("is unavailable; reconnecting").len(), 1);
    let end = log.lines_with("works again");
    assert_eq!(end.len(), 1, "{end:?}");
    let failures = end[0].split("failures=").nth(1).expect("a count");
    let failures: u64 = failures
        .split_whitespace()
        .next()
        .expect("a count")
        .parse()
        .expect("a number");
    assert!(failures >= 200, "{failures}");
    assert_eq!(
        log.lines_with("ERROR").len() + log.lines_with("WARN").len(),
        1
    );
}
