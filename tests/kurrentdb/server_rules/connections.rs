//! How the double counts connections, and how a node that shuts down treats them.

use std::time::Duration;

use kurrentdb::StreamPosition;

use crate::double::Double;
use crate::server_rules::asking::{
    STREAM, client, client_of, next, next_event, read, subscribe, three_events, until_caught_up,
};
use crate::support::until;

/// The crate keeps the connection of a dropped client open.
#[tokio::test(flavor = "multi_thread")]
async fn open_connections_and_accepted_ones_are_counted() {
    let double = Double::start().await;
    assert_eq!(double.open_connections(), 0);
    for _ in 0..3 {
        read(&client_of(&double)).await.expect_err("no such stream");
    }
    assert_eq!(double.open_connections(), 3);
    assert_eq!(double.calls().connections, 3);

    double.cut_connections();
    until(|| async { double.open_connections() == 0 }).await;
    assert_eq!(double.calls().connections, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_client_closes_is_no_longer_counted_as_open() {
    let double = Double::start().await;
    let connection = tokio::net::TcpStream::connect(double.address()).await;
    let connection = connection.expect("it listens");
    until(|| async { double.open_connections() == 1 }).await;
    drop(connection);
    until(|| async { double.open_connections() == 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_shuts_down_refuses_new_connections_and_sends_nothing_on_open_ones() {
    let mut double = Double::start().await;
    let old = client_of(&double);
    three_events(&old).await;
    let mut subscription = subscribe(&old, StreamPosition::Start).await;
    until_caught_up(&mut subscription).await;

    double.begin_shutdown().await;
    assert!(
        tokio::net::TcpStream::connect(double.address())
            .await
            .is_err()
    );
    double.set_metadata(STREAM, "{}");
    let silence = Duration::from_millis(50);
    let news = tokio::time::timeout(silence, subscription.next_subscription_event()).await;
    assert!(news.is_err(), "{news:?}");
    assert!(tokio::time::timeout(silence, read(&old)).await.is_err());
    assert_eq!(double.open_connections(), 1);

    double.stop().await;
    until(|| async { double.open_connections() == 0 }).await;
    double.start_again();
    let new = client(&double.connection_string());
    let mut subscription = subscribe(&new, StreamPosition::Start).await;
    assert!(next(&mut subscription).await.is_ok());
    for _ in 0..4 {
        next_event(&mut subscription).await;
    }
}
