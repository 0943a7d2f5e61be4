//! A single append, and the failures that can happen to it.

use std::time::Duration;

use bytes::Bytes;
use connect_four::event_store::{EventStore, EventStoreError, ExpectedRevision, NewEvent};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::double::{Double, Expected, Fault, wire::Empty};
use crate::support::{
    append, at, begin, ids, impatient_store_on, new_event, new_stream, proposal, soon, store_on,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_append_stores_exactly_the_given_events() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    let event = NewEvent {
        data: Bytes::from(" {\"a\" : \"\\u00e4\"}"),
        metadata: Bytes::from(r#"{"$correlationId":"x"}"#),
        ..new_event()
    };
    let json = new_event();
    soon(store.append(
        &stream,
        ExpectedRevision::NoStream,
        vec![event.clone(), json.clone()],
    ))
    .await
    .expect("a new stream");

    let stored = double.stored(stream.as_str());
    assert_eq!(ids(&stored), [event.id, json.id]);
    assert_eq!(stored[0].data, event.data);
    assert_eq!(stored[0].metadata, event.metadata);
    assert_eq!(stored[1].data, json.data);
    assert_eq!(stored[1].event_type, "Happened");
    assert_eq!(stored[1].content_type, "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_connection_is_cut_after_the_commit_is_stored_once_and_succeeds() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;

    double.fail_next_append(Fault::LoseAnswer);
    let event = new_event();
    let appended = append(&store, &stream, at(0), &event).await;

    assert_eq!(appended.expect("repeated").revision.number(), 1);
    assert_eq!(double.stored(stream.as_str()).len(), 2);
    assert_eq!(double.calls().appends, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_connection_is_cut_before_the_commit_is_stored_once_and_succeeds() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();

    double.fail_next_append(Fault::LoseRequest);
    let event = new_event();
    append(&store, &stream, ExpectedRevision::NoStream, &event)
        .await
        .expect("repeated");

    assert_eq!(ids(&double.stored(stream.as_str())), [event.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_times_out_on_the_server_after_the_commit_is_stored_once_and_succeeds() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();

    double.fail_next_append(Fault::GiveUpWaiting);
    let event = new_event();
    append(&store, &stream, ExpectedRevision::NoStream, &event)
        .await
        .expect("repeated");

    assert_eq!(ids(&double.stored(stream.as_str())), [event.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_only_the_repeated_append_finds_is_reported_as_a_conflict() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;

    double.fail_next_append(Fault::LoseRequest);
    let somebody_elses = proposal("{}");
    let id = somebody_elses.id;
    double.store(
        stream.as_str(),
        Expected::Any(Empty {}),
        vec![somebody_elses],
    );
    let error = append(&store, &stream, at(0), &new_event()).await;

    assert!(
        matches!(error, Err(EventStoreError::WrongExpectedRevision { actual: Some(actual), .. })
            if actual.number() == 1),
        "{error:?}"
    );
    assert_eq!(double.stored(stream.as_str())[1].id, id);
    assert_eq!(double.stored(stream.as_str()).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_connection_is_cut_at_every_attempt_has_an_unknown_outcome() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();

    for _ in 0..10 {
        double.fail_next_append(Fault::LoseAnswer);
    }
    let event = new_event();
    let error = append(&store, &stream, ExpectedRevision::NoStream, &event).await;
    assert!(
        matches!(error, Err(EventStoreError::OutcomeUnknown { .. })),
        "{error:?}"
    );

    // When the caller repeats the append, the outcome becomes known.
    double.mend();
    crate::support::until_ready(&store).await;
    double.mend();
    append(&store, &stream, ExpectedRevision::NoStream, &event)
        .await
        .expect("stored before");
    assert_eq!(ids(&double.stored(stream.as_str())), [event.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_answered_after_the_deadline_has_an_unknown_outcome_and_is_stored_once() {
    let double = Double::start().await;
    let store = impatient_store_on(&double.connection_string(), 150).await;
    let stream = new_stream();
    begin(&store, &stream).await;

    double.answer_late(Duration::from_secs(60));
    let event = new_event();
    let error = append(&store, &stream, at(0), &event).await;
    assert!(
        matches!(error, Err(EventStoreError::OutcomeUnknown { .. })),
        "{error:?}"
    );
    double.answer_late(Duration::ZERO);

    crate::support::until_ready(&store).await;
    let appended = append(&store, &stream, at(0), &event).await;
    assert_eq!(appended.expect("stored before").revision.number(), 1);
    assert_eq!(double.stored(stream.as_str()).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_append_completes_even_if_its_caller_goes_away() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    double.answer_late(Duration::from_millis(50));

    let event = new_event();
    let waiting = store.append(&stream, ExpectedRevision::NoStream, vec![event.clone()]);
    let gave_up = tokio::time::timeout(Duration::from_millis(1), waiting).await;
    assert!(gave_up.is_err());

    crate::support::until(|| async { double.stored(stream.as_str()).len() == 1 }).await;
    assert_eq!(ids(&double.stored(stream.as_str())), [event.id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_appends_at_one_revision_exactly_one_succeeds_while_connections_are_cut() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    for _ in 0..3 {
        double.fail_next_append(Fault::LoseAnswer);
    }

    let events: Vec<_> = (0..16).map(|_| new_event()).collect();
    let outcomes = join_all(events.iter().map(|e| append(&store, &stream, at(0), e))).await;

    let stored = ids(&double.stored(stream.as_str()));
    assert_eq!(stored.len(), 2);
    for (event, outcome) in events.iter().zip(outcomes) {
        match outcome {
            Ok(_) => assert_eq!(stored[1], event.id, "acknowledged and not stored"),
            Err(EventStoreError::WrongExpectedRevision { .. }) => {
                assert_ne!(stored[1], event.id, "stored and reported as a conflict");
            }
            Err(EventStoreError::OutcomeUnknown { .. } | EventStoreError::Unavailable { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_concurrent_appends_all_complete_within_the_limit_of_http2_streams() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    double.answer_late(Duration::from_millis(5));

    let appends = (0..1000).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let stream = new_stream();
            begin(&store, &stream).await;
            stream
        })
    });
    for stream in join_all(appends).await {
        let stream = stream.expect("no append panicked");
        assert_eq!(double.stored(stream.as_str()).len(), 1);
    }
    let most = double.calls().most_in_flight;
    assert!((50..100).contains(&most), "{most} at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_to_a_tombstoned_stream_is_refused() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    double.tombstone(stream.as_str());

    let deleted = EventStoreError::StreamDeleted {
        stream: stream.clone(),
    };
    assert_eq!(
        append(&store, &stream, at(0), &new_event()).await,
        Err(deleted)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_the_server_cannot_store_are_refused_before_they_are_sent() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    let huge = NewEvent {
        data: Bytes::from(vec![b'1'; 17 * 1024 * 1024]),
        ..new_event()
    };
    let nameless = NewEvent {
        event_type: "".into(),
        ..new_event()
    };
    let without_id = NewEvent {
        id: Uuid::nil(),
        ..new_event()
    };
    for event in [huge, nameless, without_id] {
        let error = append(&store, &stream, ExpectedRevision::NoStream, &event).await;
        assert!(
            matches!(error, Err(EventStoreError::Refused { .. })),
            "{error:?}"
        );
    }
    assert_eq!(double.calls().appends, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credentials_in_the_connection_string_are_percent_decoded_before_they_are_sent() {
    let double = Double::start().await;
    // ada:p@ss/w:rd
    double.demand_authorization("Basic YWRhOnBAc3MvdzpyZA==");
    let address = double.address();
    let connection = format!("kurrentdb://ada:p%40ss%2Fw%3Ard@{address}?tls=false");
    let store = crate::support::open(&connection).await;
    begin(&store, &new_stream()).await;
    assert!(!store.location().contains("p@ss"));

    let stranger = store_on(&double).await;
    let error = stranger.check().await;
    assert!(
        matches!(&error, Err(EventStoreError::AccessDenied { reason }) if reason.contains("an anonymous user")),
        "{error:?}"
    );
}
