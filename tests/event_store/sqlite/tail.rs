//! Subscriptions receive commits from memory, and read the file when they have fallen behind.

use std::sync::Arc;

use connect_four::event_store::{EventStore, SubscriptionMessage};
use futures_util::StreamExt;
use uuid::Uuid;

use super::TempFile;
use crate::support::{PREFIX, begin, conflict, go_on, ids_of, new_events, new_stream, soon};

/// More commits than are kept in memory: a subscription this far behind reads the file again.
const MANY: u64 = 300;

#[tokio::test]
async fn a_slow_subscription_reads_the_missed_commits_from_the_file_and_misses_none() {
    let file = TempFile::new();
    let store: Arc<dyn EventStore> = Arc::new(file.open().await);
    let stream = new_stream();
    let mut appended = new_events(1);
    begin(&*store, &stream, appended.clone()).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    let mut heard = Vec::<Uuid>::new();
    let mut caught_up = 0;
    // The subscription falls behind in each round: it is not polled during the commits.
    for round in 0..3 {
        while heard.len() < appended.len() || caught_up <= round {
            match soon(subscription.next()).await.expect("it does not end") {
                SubscriptionMessage::Recorded(event) => heard.push(event.id),
                SubscriptionMessage::CaughtUp => caught_up += 1,
                SubscriptionMessage::StreamTruncated(_) | SubscriptionMessage::Disconnected => {
                    panic!("nothing is deleted and nothing is lost")
                }
            }
        }
        for _ in 0..MANY {
            let event = new_events(1);
            let last = appended.len() as u64 - 1;
            go_on(&*store, &stream, last, event.clone()).await;
            appended.extend(event);
        }
    }
    while heard.len() < appended.len() {
        if let SubscriptionMessage::Recorded(event) = soon(subscription.next()).await.expect("more")
        {
            heard.push(event.id);
        }
    }
    assert_eq!(heard, ids_of(&appended));
}

#[tokio::test]
async fn refused_and_repeated_appends_are_not_delivered_to_subscriptions() {
    let file = TempFile::new();
    let store: Arc<dyn EventStore> = Arc::new(file.open().await);
    let mut subscription = store.subscribe_all(PREFIX, None);
    let first = soon(subscription.next()).await;
    assert!(matches!(first, Some(SubscriptionMessage::CaughtUp)));
    let (one, other) = (new_stream(), new_stream());
    let (events, more) = (new_events(2), new_events(1));
    begin(&*store, &one, events.clone()).await;
    begin(&*store, &one, events.clone()).await;
    let refused = store.append(&one, crate::support::at(0), more.clone());
    assert_eq!(
        refused.await,
        conflict(&one, crate::support::at(0), Some(1))
    );
    begin(&*store, &other, more.clone()).await;

    let expected = [ids_of(&events), ids_of(&more)].concat();
    let mut position = None;
    for id in expected {
        match soon(subscription.next()).await.expect("it does not end") {
            SubscriptionMessage::Recorded(event) => {
                assert_eq!(event.id, id);
                assert!(Some(event.position) > position);
                position = Some(event.position);
            }
            SubscriptionMessage::CaughtUp
            | SubscriptionMessage::StreamTruncated(_)
            | SubscriptionMessage::Disconnected => panic!("it never fell behind"),
        }
    }
}
