//! Checkpoints that are ahead of the last event.

use kurrentdb::{StreamPosition, SubscriptionEvent};

use crate::double::Double;
use crate::server_rules::asking::{
    client_of, next, next_event, read_all, subscribe, three_events, until_caught_up,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_may_have_the_position_of_the_next_event() {
    let double = Double::start().await;
    double.send_checkpoints_ahead();
    let client = client_of(&double);
    double.set_metadata("other-1", "{}");
    let mut subscription = subscribe(&client, StreamPosition::Start).await;
    let checkpoint = loop {
        let message = next(&mut subscription).await;
        if let SubscriptionEvent::Checkpoint(position) = message.expect("it goes on") {
            break position;
        }
    };
    // No event is at this position yet, so it is beyond the head.
    let position = StreamPosition::Position(checkpoint);
    let mut resumed = subscribe(&client, position).await;
    assert_eq!(until_caught_up(&mut resumed).await.len(), 0);

    three_events(&client).await;
    let events = read_all(&client, position, 9).await.expect("it answers");
    assert_eq!(events[0].get_original_event().position, checkpoint);
    assert_eq!(events.len(), 3);
    // A subscription that resumes after the checkpoint misses the event at its position.
    let next = next_event(&mut resumed).await;
    assert_eq!(next.get_original_event().revision, 1);
}
