//! TCP's delayed ACK of 40 ms: without the adapter's workaround, the crate waits for it in every
//! call.

use std::time::{Duration, Instant};

use connect_four::event_store::{EventStore, ExpectedRevision, StreamRevision};

use crate::double::Double;
use crate::support::{append, at, begin, new_event, new_stream, store_on};

/// The median duration of 60 appends and 60 reads, one after the other.
async fn median_call(store: &connect_four::event_store::KurrentDbStore) -> Duration {
    let stream = new_stream();
    let mut times = Vec::new();
    begin(store, &stream).await;
    for revision in 0..60 {
        let started = Instant::now();
        append(store, &stream, at(revision), &new_event())
            .await
            .expect("nobody else writes");
        times.push(started.elapsed());
        let started = Instant::now();
        store
            .read_stream(&stream, StreamRevision::new(revision))
            .await
            .expect("it answers");
        times.push(started.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_waits_for_a_delayed_ack() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let median = median_call(&store).await;
    assert!(median < Duration::from_millis(20), "{median:?}");
}

/// The crate reconnects by itself, without a notification.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_waits_for_a_delayed_ack_after_a_reconnect() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    begin(&store, &new_stream()).await;
    double.cut_connections();
    let event = new_event();
    let _ = append(&store, &new_stream(), ExpectedRevision::NoStream, &event).await;
    let median = median_call(&store).await;
    assert!(median < Duration::from_millis(20), "{median:?}");
}
