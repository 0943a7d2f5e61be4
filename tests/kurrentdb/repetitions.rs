//! The same append twice at the same time: a double click, or a client that repeats a request
//! before the first one was answered.

use std::time::{Duration, Instant};

use connect_four::event_store::{EventStore, ExpectedRevision};
use futures_util::future::join_all;

use crate::double::Double;
use crate::support::{append, at, begin, ids, new_event, new_stream, soon, store_on, until};

/// The longest acceptable waiting time for a user.
const LIMIT: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn identical_concurrent_appends_of_one_process_share_one_call_and_its_outcome() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    let before = double.calls().appends;

    double.commit_after(Duration::from_millis(50));
    let event = new_event();
    let started = Instant::now();
    let same = (0..10).map(|_| append(&store, &stream, at(0), &event));
    let outcomes = join_all(same).await;

    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    let outcomes: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| outcome.expect("at 0"))
        .collect();
    let firsts = outcomes.iter().filter(|outcome| !outcome.is_repetition);
    assert_eq!(firsts.count(), 1);
    for outcome in outcomes {
        assert_eq!(outcome.revision.number(), 1);
    }
    assert_eq!(double.calls().appends, before + 1);
    assert_eq!(double.stored(stream.as_str()).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn different_appends_do_not_share_an_outcome() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    double.commit_after(Duration::from_millis(20));
    let (one, other) = (new_event(), new_event());
    let outcomes = tokio::join!(
        append(&store, &stream, at(0), &one),
        append(&store, &stream, at(0), &other),
    );
    assert_ne!(outcomes.0.is_ok(), outcomes.1.is_ok(), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_concurrent_appends_of_two_processes_are_both_answered_soon() {
    let double = Double::start().await;
    let (one, other) = (store_on(&double).await, store_on(&double).await);
    let stream = new_stream();
    begin(&one, &stream).await;
    for round in 0..5 {
        // The first append is committed only after the second one arrived and was dropped.
        double.hold_commits();
        let dropped = double.calls().dropped;
        let events = vec![new_event(), new_event()];
        let at_revision = at(round * 2);
        let both = [one.clone(), other.clone()].map(|store| {
            let (stream, events) = (stream.clone(), events.clone());
            tokio::spawn(async move { store.append(&stream, at_revision, events).await })
        });
        until(|| async { double.calls().dropped > dropped }).await;
        double.release_commits();
        let committed = Instant::now();
        let outcomes = soon(join_all(both)).await;
        assert!(committed.elapsed() < LIMIT, "{:?}", committed.elapsed());

        let [first, second] = &outcomes[..] else {
            panic!("two appends");
        };
        let first = first.as_ref().expect("no panic").as_ref();
        let second = second.as_ref().expect("no panic").as_ref();
        assert_eq!(first, second);
        assert_eq!(first.expect("stored").revision.number(), round * 2 + 2);
    }
    assert_eq!(double.stored(stream.as_str()).len(), 11);
    // No connection was replaced.
    assert_eq!(double.calls().features, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_times_out_on_the_server_is_sent_again_on_the_same_client() {
    let double = Double::start().await;
    let (one, other) = (store_on(&double).await, store_on(&double).await);
    let stream = new_stream();
    begin(&one, &stream).await;
    double.commit_timeout(Duration::from_millis(20));
    double.hold_commits();

    let event = new_event();
    let appends = double.calls().appends;
    let first = {
        let (one, stream, event) = (one.clone(), stream.clone(), event.clone());
        tokio::spawn(async move { append(&one, &stream, at(0), &event).await })
    };
    until(|| async { double.calls().appends > appends }).await;
    // The server reports a time-out three times in a row.
    let error = append(&other, &stream, at(0), &event).await;
    assert!(error.is_err(), "{error:?}");
    assert_eq!(double.calls().dropped, 3);
    double.release_commits();

    let repeated = append(&other, &stream, at(0), &event).await;
    assert_eq!(repeated, soon(first).await.expect("no panic"));
    assert_eq!(double.calls().features, 2);
    assert_eq!(ids(&double.stored(stream.as_str()))[1], event.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_event_at_the_same_revision_is_not_mistaken_for_a_repetition() {
    let double = Double::start().await;
    let (one, other) = (store_on(&double).await, store_on(&double).await);
    let stream = new_stream();
    begin(&one, &stream).await;
    append(&one, &stream, at(0), &new_event())
        .await
        .expect("at 0");

    // Long enough for the store to read the stream, which contains the other store's event.
    double.answer_late(Duration::from_millis(60));
    let outcome = append(&other, &stream, at(0), &new_event()).await;
    assert!(outcome.is_err(), "{outcome:?}");
    let outcome = append(&other, &stream, ExpectedRevision::NoStream, &new_event()).await;
    assert!(outcome.is_err(), "{outcome:?}");
}
