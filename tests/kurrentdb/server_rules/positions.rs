//! Reads and subscriptions of `$all` from valid and invalid positions.

use kurrentdb::{
    Client, Error, Position, ReadAllOptions, StreamPosition, StreamState, SubscriptionEvent,
};

use crate::double::Double;
use crate::server_rules::asking::{
    STREAM, append, client_of, games, new_ids, next, next_event, read_all, subscribe, three_events,
    until_caught_up,
};
use crate::support::soon;

fn at(number: u64) -> StreamPosition<Position> {
    StreamPosition::Position(Position {
        commit: number,
        prepare: number,
    })
}

fn is_invalid_position(error: &Error) -> bool {
    const INVALID_ARGUMENT: i32 = 3;
    matches!(error, Error::Grpc { code, message } if i32::from(*code) == INVALID_ARGUMENT
        && message == "Trying to read from an invalid position.")
}

/// The positions of the three events of a stream.
async fn positions(client: &Client) -> [u64; 3] {
    three_events(client).await;
    let all = read_all(client, StreamPosition::Start, 9).await;
    let positions: Vec<u64> = all
        .expect("it answers")
        .iter()
        .map(|event| event.get_original_event().position.commit)
        .collect();
    positions.try_into().expect("three events")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_at_position_0() {
    let double = Double::start().await;
    let client = client_of(&double);
    assert!(positions(&client).await[0] > 0);
    let all = read_all(&client, at(0), 9).await;
    assert_eq!(all.expect("a record begins there").len(), 3);
    let mut subscription = subscribe(&client, at(0)).await;
    assert_eq!(until_caught_up(&mut subscription).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_includes_its_position_and_a_subscription_does_not() {
    let double = Double::start().await;
    let client = client_of(&double);
    let [_, second, _] = positions(&client).await;
    let first_of = |events: &[kurrentdb::ResolvedEvent]| events[0].get_original_event().revision;

    let read = read_all(&client, at(second), 9).await.expect("it answers");
    assert_eq!((read.len(), first_of(&read)), (2, 1));
    let mut subscription = subscribe(&client, at(second)).await;
    let history = until_caught_up(&mut subscription).await;
    assert_eq!((history.len(), first_of(&history)), (1, 2));

    let backwards = ReadAllOptions::default()
        .backwards()
        .position(at(second))
        .filter(games());
    let mut answer = soon(client.read_all(&backwards)).await.expect("it answers");
    let before = soon(answer.next()).await.expect("it answers");
    let before = before.expect("the one before");
    assert_eq!(before.get_original_event().revision, 0);
    assert!(soon(answer.next()).await.expect("it ends").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_a_filtered_read_counts_delivered_events_only() {
    let double = Double::start().await;
    let client = client_of(&double);
    for _ in 0..3 {
        double.set_metadata("other-1", "{}");
    }
    positions(&client).await;
    let read = read_all(&client, StreamPosition::Start, 2).await;
    let read = read.expect("it answers");
    assert_eq!(read.len(), 2);
    assert!(
        read.iter()
            .all(|event| event.get_original_event().stream_id() == STREAM)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_at_which_no_record_begins_is_refused_immediately() {
    let double = Double::start().await;
    let client = client_of(&double);
    let [first, _, last] = positions(&client).await;
    for wrong in [1, first + 1, last - 1, last + 1] {
        let error = read_all(&client, at(wrong), 9).await;
        let error = error.expect_err("no record begins there");
        assert!(is_invalid_position(&error), "{error:?}");

        let mut subscription = subscribe(&client, at(wrong)).await;
        assert!(matches!(
            next(&mut subscription).await,
            Ok(SubscriptionEvent::Confirmed(_))
        ));
        let error = next(&mut subscription).await;
        let error = error.expect_err("no record begins there");
        assert!(is_invalid_position(&error), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_beyond_the_head_receives_nothing_until_the_log_has_grown_past_it() {
    let double = Double::start().await;
    let client = client_of(&double);
    let [.., last] = positions(&client).await;
    let beyond = last + 1_000;
    assert_eq!(
        read_all(&client, at(beyond), 9)
            .await
            .expect("no error")
            .len(),
        0
    );

    let mut subscription = subscribe(&client, at(beyond)).await;
    assert_eq!(until_caught_up(&mut subscription).await.len(), 0);
    loop {
        let written = append(&client, StreamState::Any, &new_ids::<1>()).await;
        if written.expect("it is stored").position.commit > beyond {
            break;
        }
    }
    let event = next_event(&mut subscription).await;
    assert!(event.get_original_event().position.commit > beyond);
}
