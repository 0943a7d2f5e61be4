//! Clusters: finding the leader, and following it when it changes.

use connect_four::event_store::{EventStore, ExpectedRevision};

use crate::double::Double;
use crate::support::{append, begin, new_event, new_stream, open, until, until_ready};

fn seeds(nodes: &[&Double]) -> String {
    let addresses: Vec<_> = nodes
        .iter()
        .map(|node| node.address().to_string())
        .collect();
    format!("kurrentdb://{}?tls=false", addresses.join(","))
}

/// Two nodes. Both of them name the first one as the leader.
async fn two_nodes() -> (Double, Double) {
    let (first, second) = (Double::start().await, Double::start().await);
    lead(&first, &second);
    (first, second)
}

fn lead(leader: &Double, follower: &Double) {
    let members = [(leader.address(), true), (follower.address(), false)];
    leader.gossip_of(&members);
    leader.follow(None);
    follower.gossip_of(&members);
    follower.follow(Some(leader.address()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_found_by_gossip() {
    let (leader, follower) = two_nodes().await;
    let store = open(&seeds(&[&leader, &follower])).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    assert_eq!(leader.stored(stream.as_str()).len(), 1);
    assert_eq!(follower.calls().appends, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_that_a_follower_names_is_used() {
    let (leader, follower) = two_nodes().await;
    let store = open(&follower.connection_string()).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    assert_eq!(leader.stored(stream.as_str()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_leader_is_followed() {
    let (first, second) = two_nodes().await;
    let store = open(&seeds(&[&first, &second])).await;
    begin(&store, &new_stream()).await;

    lead(&second, &first);
    let stream = new_stream();
    begin(&store, &stream).await;
    assert_eq!(second.stored(stream.as_str()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_leader_is_replaced_by_the_new_one() {
    let (mut first, second) = two_nodes().await;
    let store = open(&seeds(&[&first, &second])).await;
    begin(&store, &new_stream()).await;

    first.stop().await;
    lead(&second, &first);
    let stream = new_stream();
    let event = new_event();
    until(|| async {
        let outcome = append(&store, &stream, ExpectedRevision::NoStream, &event).await;
        outcome.is_ok()
    })
    .await;
    assert_eq!(second.stored(stream.as_str()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_recovers_from_gossip_that_names_an_unreachable_leader() {
    let (mut first, second) = two_nodes().await;
    let store = open(&seeds(&[&first, &second])).await;
    begin(&store, &new_stream()).await;

    // The second node still names the first one, which is dead. The crate's client stops working
    // for good then, and has to be replaced.
    first.stop().await;
    until(|| async { store.check().await.is_err() }).await;
    lead(&second, &first);
    until_ready(&store).await;
}
