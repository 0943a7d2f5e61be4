//! Which calls the server refuses to a user, and at which point.

use kurrentdb::{Error, StreamPosition};

use crate::double::Double;
use crate::server_rules::asking::{
    client, client_of, next, read, read_all, subscribe, three_events, until_caught_up,
};

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_refused_at_each_call_and_not_when_connecting() {
    let double = Double::start().await;
    // ada:right
    double.demand_authorization("Basic YWRhOnJpZ2h0");
    let connect = |password: &str| {
        let address = double.address();
        client(&format!("kurrentdb://ada:{password}@{address}?tls=false"))
    };
    let wrong = connect("wrong");
    for _ in 0..2 {
        assert!(matches!(read(&wrong).await, Err(Error::AccessDenied)));
    }
    let mut subscription = subscribe(&wrong, StreamPosition::Start).await;
    let refused = next(&mut subscription).await;
    assert!(matches!(refused, Err(Error::AccessDenied)), "{refused:?}");
    // The client asked what the node supports, received the answer, and stays connected.
    assert_eq!(double.calls().features, 1);
    assert_eq!(double.open_connections(), 1);

    three_events(&connect("right")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_admin_rights_may_use_streams_but_not_all() {
    let double = Double::start().await;
    double.forbid_reading_all(true);
    let client = client_of(&double);
    three_events(&client).await;
    assert_eq!(read(&client).await.expect("permitted").last, Some(2));
    let refused = read_all(&client, StreamPosition::Start, 9).await;
    assert!(matches!(refused, Err(Error::AccessDenied)), "{refused:?}");
    let mut subscription = subscribe(&client, StreamPosition::Start).await;
    let refused = next(&mut subscription).await;
    assert!(matches!(refused, Err(Error::AccessDenied)), "{refused:?}");

    double.forbid_reading_all(false);
    let mut subscription = subscribe(&client, StreamPosition::Start).await;
    assert_eq!(until_caught_up(&mut subscription).await.len(), 3);
}
