//! Checkpoints that are ahead of the last event.

use kurrentdb::{StreamPosition, SubscriptionEvent};

use crate::double::Double;
use crate::server_rules::asking::{
    client_of, next, read_all, subscribe, three_events, until_caught_up,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_may_have_the_position_that_the_next_event_gets() {
    let double = Double::start().await;
    double.send_checkpoints_ahead();
    let client = client_of(&double);
    double.set_metadata("other-1", "{}");
    let mut subscription = subscribe(&client, StreamPosition::Start).await;
    let checkpoint = loop {
        match next(&mut subscription).await.expect("it goes on") {
            SubscriptionEvent::Checkpoint(position) => break position,
            SubscriptionEvent::Confirmed(_) => {}
            other => panic!("{other:?}"),
        }
    };
    // Nothing is there yet, so it is beyond the head.
    let position = StreamPosition::Position(checkpoint);
    let mut resumed = subscribe(&client, position.clone()).await;
    assert_eq!(until_caught_up(&mut resumed).await.len(), 0);

    three_events(&client).await;
    let events = read_all(&client, position, 9).await.expect("it answers");
    assert_eq!(events[0].get_original_event().position, checkpoint);
    assert_eq!(events.len(), 3);
    // The subscription that took the checkpoint for an event that it has seen misses one.
    let next = crate::server_rules::asking::next_event(&mut resumed).await;
    assert_eq!(next.get_original_event().revision, 1);
}
