//! Users without the necessary permissions, or with wrong credentials.

use connect_four::event_store::{
    EventStore, EventStoreError, ExpectedRevision, GlobalPosition, StreamRevision, Subscription,
};

use crate::double::Double;
use crate::log::Log;
use crate::support::{
    PREFIX, append, begin, new_event, new_stream, next_message, open, soon, store_on, until,
    until_caught_up,
};

fn is_denied<T: std::fmt::Debug>(outcome: Result<T, EventStoreError>) {
    assert!(
        matches!(outcome, Err(EventStoreError::AccessDenied { .. })),
        "{outcome:?}"
    );
}

async fn hears_nothing_in_three_attempts(double: &Double, subscription: &mut Subscription) {
    tokio::select! {
        message = next_message(subscription) => panic!("{message:?}"),
        () = until(|| async { double.calls().subscriptions >= 3 }) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_every_call_is_denied_and_no_connection_is_lost() {
    let double = Double::start().await;
    double.demand_authorization("Basic YWRhOnNlY3JldA==");
    let store = store_on(&double).await;
    let position: GlobalPosition = "0".parse().expect("a position");
    for _ in 0..3 {
        is_denied(soon(store.check()).await);
        is_denied(soon(store.head()).await);
        is_denied(soon(store.event_at(position)).await);
        is_denied(soon(store.read_all(PREFIX, None, 1)).await);
        is_denied(soon(store.read_stream(&new_stream(), StreamRevision::FIRST)).await);
        is_denied(
            append(
                &store,
                &new_stream(),
                ExpectedRevision::NoStream,
                &new_event(),
            )
            .await,
        );
    }
    assert_eq!(double.calls().features, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_read_all_can_append_and_read_but_subscriptions_wait_for_the_permission()
{
    let double = Double::start().await;
    double.forbid_reading_all(true);
    let store = store_on(&double).await;
    let stream = new_stream();
    let event = begin(&store, &stream).await;
    soon(store.check()).await.expect("it answers");
    let slice = soon(store.read_stream(&stream, StreamRevision::FIRST)).await;
    assert_eq!(slice.expect("allowed").events.len(), 1);
    is_denied(soon(store.head()).await);
    is_denied(soon(store.read_all(PREFIX, None, 1)).await);

    let mut subscription = store.subscribe_all(PREFIX, None);
    // The subscription tries again on the existing client.
    hears_nothing_in_three_attempts(&double, &mut subscription).await;
    assert_eq!(double.calls().features, 2);
    double.forbid_reading_all(false);
    let heard = until_caught_up(&mut subscription).await;
    assert_eq!(heard[0].id, event.id);
}

/// Runs on one thread, because the test captures that thread's log.
#[tokio::test]
async fn the_log_names_the_user_the_refused_operation_and_the_permission_to_grant() {
    let log = Log::read();
    let double = Double::start().await;
    // ada:secret
    double.demand_authorization("Basic YWRhOnNlY3JldA==");
    double.forbid_reading_all(true);
    let connection = format!("kurrentdb://ada:secret@{}?tls=false", double.address());
    let store = open(&connection).await;
    log.has("connected to KurrentDB");
    let mut subscription = store.subscribe_all(PREFIX, None);
    hears_nothing_in_three_attempts(&double, &mut subscription).await;
    for _ in 0..10 {
        is_denied(soon(store.read_all(PREFIX, None, 1)).await);
    }

    for refused in ["subscribe to $all", "read $all"] {
        let lines = log.lines_with(&format!(r#"refuses to let user "ada" {refused}"#));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("ERROR") && lines[0].contains("$admins"));
    }
    assert!(log.lines_with("secret").is_empty());
}

#[tokio::test]
async fn connected_is_logged_only_after_a_call_has_succeeded() {
    let log = Log::read();
    let double = Double::start().await;
    double.demand_authorization("Basic YWRhOnNlY3JldA==");
    let stranger = store_on(&double).await;
    is_denied(soon(stranger.check()).await);
    assert!(log.lines_with("connected").is_empty());
    let lines = log.lines_with("refuses to let an anonymous user read streams");
    assert_eq!(lines.len(), 1, "{lines:?}");

    let bob = format!("kurrentdb://bob:secret@{}?tls=false", double.address());
    let bob = open(&bob).await;
    is_denied(soon(bob.check()).await);
    assert!(log.lines_with("connected").is_empty());
    // bob:secret, which the node accepts.
    double.demand_authorization("Basic Ym9iOnNlY3JldA==");
    soon(bob.check()).await.expect("let in");
    soon(bob.check()).await.expect("let in");
    assert_eq!(log.lines_with("connected to KurrentDB").len(), 1);
}
