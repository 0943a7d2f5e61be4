//! Connections: one for calls, one for each subscription, and all are closed after use.

use connect_four::event_store::{EventStore, ExpectedRevision};

use crate::double::Double;
use crate::support::{
    PREFIX, append, begin, new_event, new_stream, soon, store_on, until, until_caught_up,
    until_not_ready, until_ready,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_bounded_reads_share_one_open_connection() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    let head = store.head().await.expect("it answers").expect("an event");
    let before = (double.open_connections(), double.calls().connections);

    for _ in 0..1000 {
        let page = soon(store.read_all(PREFIX, None, 20)).await;
        assert_eq!(page.expect("it answers").len(), 1);
    }
    for _ in 0..100 {
        soon(store.event_at(head)).await.expect("it answers");
        soon(store.head()).await.expect("it answers");
    }
    let after = (double.open_connections(), double.calls().connections);
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_dropped_subscriptions_leave_no_connection_open() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    begin(&store, &new_stream()).await;
    let before = double.open_connections();

    for _ in 0..100 {
        let mut subscription = store.subscribe_all(PREFIX, None);
        assert_eq!(until_caught_up(&mut subscription).await.len(), 1);
    }
    assert!(double.calls().connections >= 100);
    until(|| async { double.open_connections() == before }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_replaced_clients_leave_no_connection_open() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    begin(&store, &new_stream()).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;
    let before = double.open_connections();
    let clients = double.calls().features;

    // The node answers that it is not ready. The connections themselves work.
    while double.calls().features < clients + 100 {
        double.be_unavailable(Some("Server Is Not Ready"));
        until_not_ready(&store).await;
        double.be_unavailable(None);
        until_ready(&store).await;
    }
    begin(&store, &new_stream()).await;
    until(|| async { double.open_connections() == before }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_crate_reopened_is_closed_with_its_client() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    double.cut_connections();
    // The crate reconnects by itself during a call.
    let event = new_event();
    append(&store, &new_stream(), ExpectedRevision::NoStream, &event)
        .await
        .expect("sent again");
    assert_eq!(double.open_connections(), 1);
    drop(store);
    until(|| async { double.open_connections() == 0 }).await;
}
