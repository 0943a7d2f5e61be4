//! The clauses of the contract. Each gets a working store, which may already contain events.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, SubscriptionMessage,
};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::watch;
use uuid::Uuid;

use crate::support::{
    Listener, PREFIX, at, begin, conflict, go_on, head_of, ids_in, ids_of, new_event, new_events,
    new_stream, repetition_of, soon, stream_named,
};

/// Generates one test per clause for a store: `store_contract!(name, open())`, where `open()` is a
/// future of [`Opened`]. Add `#[ignore]` after it for a store that is not always available.
macro_rules! store_contract {
    ($name:ident, $open:expr $(, #[$attribute:ident])?) => {
        store_contract!($name, $open, $(#[$attribute],)? [
            a_read_of_an_absent_stream_is_empty,
            the_first_event_has_revision_0,
            an_append_returns_the_revision_and_position_of_its_last_event,
            expecting_no_stream_where_one_exists_is_a_conflict_with_the_actual_revision,
            a_stale_expected_revision_is_a_conflict_with_the_actual_revision,
            a_future_expected_revision_is_a_conflict_with_the_actual_revision,
            expecting_a_revision_of_an_absent_stream_is_a_conflict,
            a_conflicting_append_stores_nothing,
            an_append_without_events_is_refused,
            id_type_data_and_metadata_are_read_back_byte_for_byte,
            a_read_of_a_stream_contains_no_events_of_other_streams,
            a_stream_can_be_read_from_a_revision_in_its_middle,
            a_read_past_the_end_returns_the_last_revision,
            a_long_stream_is_read_completely,
            of_sixteen_concurrent_appends_at_one_revision_exactly_one_succeeds,
            sixteen_identical_concurrent_appends_are_stored_once_and_all_succeed,
            a_repeated_append_is_stored_once,
            a_repeated_append_is_recognised_after_later_events,
            the_first_events_of_a_stored_append_are_recognised_as_a_repetition,
            an_append_that_repeats_only_some_of_its_events_is_a_conflict,
            an_append_at_the_current_revision_is_new_whatever_its_ids,
            an_accepted_append_completes_even_if_its_caller_goes_away,
            the_head_is_the_position_of_the_latest_event,
            a_subscription_delivers_stored_events_then_caught_up_then_new_events,
            a_subscription_resumes_after_a_position,
            a_subscription_delivers_only_streams_with_the_prefix,
            a_subscription_to_beginnings_delivers_the_first_event_of_each_stream,
            a_subscription_delivers_the_same_events_as_a_read,
            a_subscription_skips_and_repeats_nothing_between_stored_and_new_events,
            a_bounded_read_delivers_the_same_events_as_a_subscription,
            a_bounded_read_ends_at_its_limit_or_at_the_end_of_the_store,
            a_bounded_read_delivers_only_streams_with_the_prefix,
            a_bounded_read_includes_every_acknowledged_append,
            a_bounded_read_after_a_position_without_an_event_is_an_error,
            a_bounded_read_beyond_the_head_is_an_error,
            looking_up_a_position_returns_the_event_that_was_recorded_there,
            looking_up_a_position_without_an_event_returns_nothing,
            a_deleted_stream_can_be_neither_read_nor_appended_to,
            a_stream_that_does_not_exist_can_be_deleted_and_never_begins,
            deleting_a_stream_leaves_the_other_streams_and_positions_alone,
            subscriptions_report_a_deletion_also_when_they_resume_before_it,
            a_working_store_passes_its_check_and_names_its_location,
        ]);
    };
    ($name:ident, $open:expr, [$($clause:ident),* $(,)?]) => {
        mod $name {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $clause() {
                    let opened = $open.await;
                    crate::contract::$clause(opened.store.clone()).await;
                }
            )*
        }
    };
    ($name:ident, $open:expr, #[ignore], [$($clause:ident),* $(,)?]) => {
        mod $name {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                #[ignore = "needs a real KurrentDB, named by KURRENTDB_URL"]
                async fn $clause() {
                    let opened = $open.await;
                    crate::contract::$clause(opened.store.clone()).await;
                }
            )*
        }
    };
}

pub(crate) async fn a_read_of_an_absent_stream_is_empty(store: Arc<dyn EventStore>) {
    for from in [0, 1, u64::MAX] {
        let slice = store
            .read_stream(&new_stream(), StreamRevision::new(from))
            .await
            .expect("reading an absent stream is not an error");
        assert!(slice.events.is_empty());
        assert_eq!(slice.last_revision, None);
    }
}

pub(crate) async fn the_first_event_has_revision_0(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let appended = begin(&*store, &stream, new_events(1)).await;
    assert_eq!(appended.revision, StreamRevision::FIRST);
    assert_eq!(ids_in(&*store, &stream).await.len(), 1);
}

pub(crate) async fn an_append_returns_the_revision_and_position_of_its_last_event(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let before = head_of(&*store).await;
    let first = begin(&*store, &stream, new_events(3)).await;
    let second = go_on(&*store, &stream, 2, new_events(2)).await;
    assert_eq!(first.revision, StreamRevision::new(2));
    assert_eq!(second.revision, StreamRevision::new(4));

    let delivered = Listener::new(&*store, &[stream], before).take(5).await;
    assert_eq!(delivered[2].position, first.position);
    assert_eq!(delivered[4].position, second.position);
    assert!(delivered.is_sorted_by(|one, next| one.position < next.position));
}

pub(crate) async fn expecting_no_stream_where_one_exists_is_a_conflict_with_the_actual_revision(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    begin(&*store, &stream, new_events(2)).await;
    let expected = ExpectedRevision::NoStream;
    let answer = store.append(&stream, expected, new_events(1)).await;
    assert_eq!(answer, conflict(&stream, expected, Some(1)));
}

pub(crate) async fn a_stale_expected_revision_is_a_conflict_with_the_actual_revision(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    begin(&*store, &stream, new_events(3)).await;
    for stale in [0, 1] {
        let answer = store.append(&stream, at(stale), new_events(1)).await;
        assert_eq!(answer, conflict(&stream, at(stale), Some(2)));
    }
}

pub(crate) async fn a_future_expected_revision_is_a_conflict_with_the_actual_revision(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    begin(&*store, &stream, new_events(1)).await;
    let answer = store.append(&stream, at(1), new_events(1)).await;
    assert_eq!(answer, conflict(&stream, at(1), Some(0)));
}

pub(crate) async fn expecting_a_revision_of_an_absent_stream_is_a_conflict(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let answer = store.append(&stream, at(0), new_events(1)).await;
    assert_eq!(answer, conflict(&stream, at(0), None));
    assert!(ids_in(&*store, &stream).await.is_empty());
}

pub(crate) async fn a_conflicting_append_stores_nothing(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let kept = new_events(2);
    let before = head_of(&*store).await;
    begin(&*store, &stream, kept.clone()).await;
    store
        .append(&stream, at(0), new_events(3))
        .await
        .expect_err("the stream is at 1");
    let last = new_event();
    go_on(&*store, &stream, 1, vec![last.clone()]).await;

    let expected = [ids_of(&kept), vec![last.id]].concat();
    assert_eq!(ids_in(&*store, &stream).await, expected);
    let delivered = Listener::new(&*store, &[stream], before).take(3).await;
    assert!(delivered.iter().map(|event| event.id).eq(expected));
}

pub(crate) async fn an_append_without_events_is_refused(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let answer = store
        .append(&stream, ExpectedRevision::NoStream, Vec::new())
        .await;
    assert!(
        matches!(answer, Err(EventStoreError::Refused { .. })),
        "{answer:?}"
    );
    begin(&*store, &stream, new_events(1)).await;
}

pub(crate) async fn id_type_data_and_metadata_are_read_back_byte_for_byte(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let documents = [
        "{}",
        "{ \"b\" : 1e0,\n\t\"a\":[ ] , \"a\": null }",
        r#"{"player":"Zoë 𝄞 \u0000 \ud83d\ude00 日本"}"#,
        r#""just a text""#,
        "18446744073709551615.000",
    ];
    let events: Vec<NewEvent> = documents
        .iter()
        .flat_map(|document| {
            ["", document].map(|metadata| NewEvent {
                id: Uuid::now_v7(),
                event_type: "GameStarted".into(),
                data: Bytes::from_static(document.as_bytes()),
                metadata: Bytes::copy_from_slice(metadata.as_bytes()),
            })
        })
        .collect();
    begin(&*store, &stream, events.clone()).await;

    let slice = store
        .read_stream(&stream, StreamRevision::FIRST)
        .await
        .expect("the store answers");
    assert_eq!(slice.events.len(), events.len());
    for (recorded, event) in slice.events.iter().zip(&events) {
        assert_eq!(recorded.id, event.id);
        assert_eq!(recorded.event_type, event.event_type);
        assert_eq!(recorded.data, event.data);
        assert_eq!(recorded.metadata, event.metadata);
    }
}

pub(crate) async fn a_read_of_a_stream_contains_no_events_of_other_streams(
    store: Arc<dyn EventStore>,
) {
    let name = new_stream();
    let longer = StreamName::new(format!("{name}-2")).expect("it is not empty");
    let (one, two) = (new_events(1), new_events(2));
    begin(&*store, &name, one.clone()).await;
    begin(&*store, &longer, two.clone()).await;
    assert_eq!(ids_in(&*store, &name).await, ids_of(&one));
    assert_eq!(ids_in(&*store, &longer).await, ids_of(&two));
}

pub(crate) async fn a_stream_can_be_read_from_a_revision_in_its_middle(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let events = new_events(5);
    begin(&*store, &stream, events.clone()).await;
    for from in [0, 2, 4] {
        let revision = StreamRevision::new(from as u64);
        let slice = store
            .read_stream(&stream, revision)
            .await
            .expect("the store answers");
        let ids = slice.events.iter().map(|event| event.id);
        assert!(ids.eq(ids_of(&events[from..])));
        assert_eq!(slice.events[0].revision, revision);
        assert_eq!(slice.last_revision, Some(StreamRevision::new(4)));
    }
}

pub(crate) async fn a_read_past_the_end_returns_the_last_revision(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    begin(&*store, &stream, new_events(2)).await;
    for from in [2, 3, 1 << 40, u64::MAX] {
        let slice = store
            .read_stream(&stream, StreamRevision::new(from))
            .await
            .expect("reading past the end is not an error");
        assert!(slice.events.is_empty());
        assert_eq!(slice.last_revision, Some(StreamRevision::new(1)));
    }
}

pub(crate) async fn a_long_stream_is_read_completely(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let events = new_events(1500);
    let mut expected = ExpectedRevision::NoStream;
    for part in events.chunks(500) {
        let appended = store
            .append(&stream, expected, part.to_vec())
            .await
            .expect("the stream ends there");
        expected = ExpectedRevision::Exact(appended.revision);
    }
    assert_eq!(ids_in(&*store, &stream).await, ids_of(&events));
}

pub(crate) async fn of_sixteen_concurrent_appends_at_one_revision_exactly_one_succeeds(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    for round in 0..5 {
        let expected = match round {
            0 => ExpectedRevision::NoStream,
            _ => at(round - 1),
        };
        let (winners, losers): (Vec<_>, Vec<_>) =
            sixteen_at_once(&store, &stream, expected, new_event)
                .await
                .into_iter()
                .partition(Result::is_ok);
        assert_eq!(winners.len(), 1);
        for loser in losers {
            assert_eq!(loser, conflict(&stream, expected, Some(round)));
        }
        assert_eq!(ids_in(&*store, &stream).await.len() as u64, round + 1);
    }
}

pub(crate) async fn sixteen_identical_concurrent_appends_are_stored_once_and_all_succeed(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let event = new_event();
    let answers = sixteen_at_once(&store, &stream, ExpectedRevision::NoStream, || {
        event.clone()
    })
    .await;
    let (repetitions, firsts): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .map(|answer| answer.expect("all succeed"))
        .partition(|appended| appended.is_repetition);
    assert_eq!(firsts.len(), 1);
    for repeated in repetitions {
        assert_eq!(repeated, repetition_of(firsts[0]));
    }
    assert_eq!(ids_in(&*store, &stream).await, [event.id]);
}

async fn sixteen_at_once(
    store: &Arc<dyn EventStore>,
    stream: &StreamName,
    expected: ExpectedRevision,
    event: impl Fn() -> NewEvent,
) -> Vec<Result<Appended, EventStoreError>> {
    let tasks = (0..16).map(|_| {
        let (store, stream, event) = (store.clone(), stream.clone(), event());
        tokio::spawn(async move { store.append(&stream, expected, vec![event]).await })
    });
    let tasks: Vec<_> = tasks.collect();
    let answers = soon(join_all(tasks)).await;
    answers
        .into_iter()
        .map(|answer| answer.expect("an append does not panic"))
        .collect()
}

pub(crate) async fn a_repeated_append_is_stored_once(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let (first, second) = (new_events(2), new_events(2));
    let began = begin(&*store, &stream, first.clone()).await;
    assert!(!began.is_repetition);
    assert_eq!(
        begin(&*store, &stream, first.clone()).await,
        repetition_of(began)
    );
    let went_on = go_on(&*store, &stream, 1, second.clone()).await;
    assert!(!went_on.is_repetition);
    assert_eq!(
        go_on(&*store, &stream, 1, second.clone()).await,
        repetition_of(went_on)
    );
    let expected = [first, second].concat();
    assert_eq!(ids_in(&*store, &stream).await, ids_of(&expected));
}

pub(crate) async fn a_repeated_append_is_recognised_after_later_events(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let (first, second) = (new_events(2), new_events(1));
    let began = begin(&*store, &stream, first.clone()).await;
    let went_on = go_on(&*store, &stream, 1, second.clone()).await;
    go_on(&*store, &stream, 2, new_events(3)).await;
    assert_eq!(begin(&*store, &stream, first).await, repetition_of(began));
    assert_eq!(
        go_on(&*store, &stream, 1, second).await,
        repetition_of(went_on)
    );
    assert_eq!(ids_in(&*store, &stream).await.len(), 6);
}

pub(crate) async fn the_first_events_of_a_stored_append_are_recognised_as_a_repetition(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let events = new_events(3);
    begin(&*store, &stream, events.clone()).await;
    let repeated = begin(&*store, &stream, events[..2].to_vec()).await;
    assert_eq!(repeated.revision, StreamRevision::new(1));
    assert_eq!(ids_in(&*store, &stream).await, ids_of(&events));
}

pub(crate) async fn an_append_that_repeats_only_some_of_its_events_is_a_conflict(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let stored = new_events(3);
    begin(&*store, &stream, stored.clone()).await;
    let with_another_second = vec![stored[0].clone(), new_event()];
    let with_another_first = vec![new_event(), stored[1].clone()];
    let in_another_order = vec![stored[1].clone(), stored[0].clone()];
    let with_one_more = [stored.clone(), new_events(1)].concat();
    for events in [
        with_another_second,
        with_another_first,
        in_another_order,
        with_one_more,
    ] {
        let expected = ExpectedRevision::NoStream;
        let answer = store.append(&stream, expected, events).await;
        assert_eq!(answer, conflict(&stream, expected, Some(2)));
    }
    assert_eq!(ids_in(&*store, &stream).await, ids_of(&stored));
}

pub(crate) async fn an_append_at_the_current_revision_is_new_whatever_its_ids(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let event = new_event();
    begin(&*store, &stream, vec![event.clone()]).await;
    let again = go_on(&*store, &stream, 0, vec![event.clone()]).await;
    assert_eq!(again.revision, StreamRevision::new(1));
    assert_eq!(ids_in(&*store, &stream).await, [event.id, event.id]);
}

pub(crate) async fn an_accepted_append_completes_even_if_its_caller_goes_away(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let before = head_of(&*store).await;
    let events = new_events(2);
    let append = store.append(&stream, ExpectedRevision::NoStream, events.clone());
    // Polled once, then dropped, like the future of a request whose client disconnects.
    drop(append.now_or_never());

    let mut listener = Listener::new(&*store, std::slice::from_ref(&stream), before);
    let delivered: Vec<_> = listener
        .take(2)
        .await
        .iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(delivered, ids_of(&events));
}

pub(crate) async fn the_head_is_the_position_of_the_latest_event(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let appended = begin(&*store, &stream, new_events(2)).await;
    // Other tests may have appended since.
    let head = head_of(&*store).await;
    assert!(head >= Some(appended.position));

    let mut listener = Listener::new(&*store, std::slice::from_ref(&stream), head);
    let next = go_on(&*store, &stream, 1, new_events(1)).await;
    assert_eq!(listener.next().await.position, next.position);
    assert!(head < Some(next.position));
}

pub(crate) async fn a_subscription_delivers_stored_events_then_caught_up_then_new_events(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let (stored, live) = (new_events(3), new_events(2));
    let before = head_of(&*store).await;
    begin(&*store, &stream, stored.clone()).await;

    let mut listener = Listener::new(&*store, std::slice::from_ref(&stream), before);
    let mut delivered = Vec::new();
    while let SubscriptionMessage::Recorded(event) = listener.next_message().await {
        delivered.push(event.id);
    }
    assert_eq!(delivered, ids_of(&stored));

    go_on(&*store, &stream, 2, live.clone()).await;
    let delivered = listener.take(2).await;
    assert!(delivered.iter().map(|event| event.id).eq(ids_of(&live)));
}

pub(crate) async fn a_subscription_resumes_after_a_position(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let events = new_events(4);
    let before = head_of(&*store).await;
    begin(&*store, &stream, events[..3].to_vec()).await;
    go_on(&*store, &stream, 2, events[3..].to_vec()).await;

    let streams = [stream];
    let all = Listener::new(&*store, &streams, before).take(4).await;
    for seen in 1..4 {
        // Also from the middle of an append, and with the position parsed from its text.
        let text = all[seen - 1].position.to_string();
        let after = text.parse().expect("the text of a position can be parsed");
        let rest = Listener::new(&*store, &streams, Some(after))
            .take(4 - seen)
            .await;
        assert_eq!(rest, all[seen..]);
    }
}

pub(crate) async fn a_subscription_to_beginnings_delivers_the_first_event_of_each_stream(
    store: Arc<dyn EventStore>,
) {
    let (one, other, theirs) = (new_stream(), new_stream(), stream_named("other-"));
    let before = head_of(&*store).await;
    begin(&*store, &one, new_events(3)).await;
    begin(&*store, &theirs, new_events(1)).await;
    let last = begin(&*store, &other, new_events(1)).await;
    let mut subscription = store.subscribe_to_beginnings(PREFIX, before);
    let mut begun = Vec::new();
    loop {
        let message = soon(futures_util::StreamExt::next(&mut subscription)).await;
        if let Some(SubscriptionMessage::Recorded(event)) = message {
            assert_eq!(event.revision, StreamRevision::FIRST);
            let is_last = event.position == last.position;
            begun.push(event.stream);
            if is_last {
                break;
            }
        }
    }
    // Other tests may have begun streams meanwhile.
    begun.retain(|stream| [&one, &other, &theirs].contains(&stream));
    assert_eq!(begun, [one, other]);
}

pub(crate) async fn a_subscription_delivers_only_streams_with_the_prefix(
    store: Arc<dyn EventStore>,
) {
    let (ours, theirs) = (new_stream(), stream_named("other-"));
    let before = head_of(&*store).await;
    begin(&*store, &theirs, new_events(600)).await;
    begin(&*store, &ours, new_events(1)).await;
    go_on(&*store, &theirs, 599, new_events(1)).await;
    let last = go_on(&*store, &ours, 0, new_events(1)).await;

    let mut subscription = store.subscribe_all(PREFIX, before);
    loop {
        let message = soon(futures_util::StreamExt::next(&mut subscription)).await;
        if let Some(SubscriptionMessage::Recorded(event)) = message {
            assert!(event.stream.as_str().starts_with(PREFIX));
            if event.position == last.position {
                break;
            }
        }
    }
}

pub(crate) async fn a_subscription_delivers_the_same_events_as_a_read(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let before = head_of(&*store).await;
    begin(&*store, &stream, new_events(3)).await;
    let read = store
        .read_stream(&stream, StreamRevision::FIRST)
        .await
        .expect("the store answers");
    let delivered = Listener::new(&*store, &[stream], before).take(3).await;
    for (delivered, read) in delivered.iter().zip(&read.events) {
        assert_eq!(delivered.id, read.id);
        assert_eq!(delivered.revision, read.revision);
        assert_eq!(delivered.event_type, read.event_type);
        assert_eq!(delivered.data, read.data);
        assert_eq!(delivered.metadata, read.metadata);
        assert_eq!(delivered.recorded_at, read.recorded_at);
    }
}

/// Four writers, and eight subscribers that start while they write, stop and resume.
pub(crate) async fn a_subscription_skips_and_repeats_nothing_between_stored_and_new_events(
    store: Arc<dyn EventStore>,
) {
    const APPENDS: usize = 60;
    const EVENTS: usize = APPENDS * 2;
    let streams: Vec<_> = (0..4).map(|_| new_stream()).collect();
    let before = head_of(&*store).await;
    let (written, writing) = watch::channel(0);

    let writers = streams.iter().map(|stream| {
        let (store, stream, written) = (store.clone(), stream.clone(), written.clone());
        tokio::spawn(async move {
            let mut expected = ExpectedRevision::NoStream;
            for _ in 0..APPENDS {
                let appended = store
                    .append(&stream, expected, new_events(2))
                    .await
                    .expect("nobody else writes to this stream");
                expected = ExpectedRevision::Exact(appended.revision);
                written.send_modify(|appends| *appends += 1);
            }
        })
    });
    let writers: Vec<_> = writers.collect();

    let subscribers = (0..8).map(|number| {
        let (store, streams, mut writing) = (store.clone(), streams.clone(), writing.clone());
        tokio::spawn(async move {
            let begin_at = number * APPENDS / 2;
            writing
                .wait_for(|appends| *appends >= begin_at)
                .await
                .expect("the writers write");
            let mut listener = Listener::new(&*store, &streams, before);
            let mut events = Vec::new();
            while events.len() < EVENTS * streams.len() {
                events.push(listener.next().await);
                if events.len() % (50 + number) == 0 {
                    let last = events.last().map(|event| event.position);
                    listener = Listener::new(&*store, &streams, last);
                }
            }
            events
        })
    });
    let subscribers: Vec<_> = subscribers.collect();

    for writer in soon(join_all(writers)).await {
        writer.expect("a writer does not panic");
    }
    for events in soon(join_all(subscribers)).await {
        let events = events.expect("a subscriber does not panic");
        assert!(events.is_sorted_by(|one, next| one.position < next.position));
        let mut revisions: HashMap<StreamName, Vec<u64>> = HashMap::new();
        for event in events {
            let revisions = revisions.entry(event.stream).or_default();
            revisions.push(event.revision.number());
        }
        for stream in &streams {
            assert!(revisions[stream].iter().copied().eq(0..EVENTS as u64));
        }
    }
}

/// Asserts that the stream is deleted.
async fn is_deleted(store: &dyn EventStore, stream: &StreamName, events: &[NewEvent]) {
    let deleted = EventStoreError::StreamDeleted {
        stream: stream.clone(),
    };
    for from in [0, 1, 100] {
        let read = store.read_stream(stream, StreamRevision::new(from)).await;
        assert_eq!(read.expect_err("it is deleted"), deleted);
    }
    for expected in [ExpectedRevision::NoStream, at(0), at(1), at(2)] {
        let appended = store.append(stream, expected, new_events(1)).await;
        assert_eq!(appended, Err(deleted.clone()), "{expected}");
        if !events.is_empty() {
            let repeated = store.append(stream, expected, events.to_vec()).await;
            assert_eq!(repeated, Err(deleted.clone()), "{expected}");
        }
    }
}

pub(crate) async fn a_deleted_stream_can_be_neither_read_nor_appended_to(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let events = new_events(2);
    begin(&*store, &stream, events.clone()).await;
    for _ in 0..2 {
        assert_eq!(store.delete_stream(&stream).await, Ok(()));
        is_deleted(&*store, &stream, &events).await;
    }
}

pub(crate) async fn a_stream_that_does_not_exist_can_be_deleted_and_never_begins(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    assert_eq!(store.delete_stream(&stream).await, Ok(()));
    is_deleted(&*store, &stream, &[]).await;
}

pub(crate) async fn deleting_a_stream_leaves_the_other_streams_and_positions_alone(
    store: Arc<dyn EventStore>,
) {
    let (kept, stream) = (new_stream(), new_stream());
    let (first, second) = (new_events(2), new_events(1));
    begin(&*store, &kept, first.clone()).await;
    // The last event of the store, whose position would be the next one if it were used again.
    let deleted = begin(&*store, &stream, new_events(3)).await.position;
    store.delete_stream(&stream).await.expect("it is deleted");
    assert_ne!(store.event_at(deleted).await, Ok(AtPosition::Nothing));
    let appended = go_on(&*store, &kept, 1, second.clone()).await;
    assert!(appended.position > deleted);
    assert!(head_of(&*store).await >= Some(appended.position));
    let all = [first, second.clone()].concat();
    assert_eq!(ids_in(&*store, &kept).await, ids_of(&all));
    let later = read_on(&*store, &kept, Some(deleted), 100).await;
    assert!(later.iter().map(|event| event.id).eq(ids_of(&second)));
}

pub(crate) async fn subscriptions_report_a_deletion_also_when_they_resume_before_it(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let before = head_of(&*store).await;
    let last = begin(&*store, &stream, new_events(2)).await.position;
    let report = async |mut subscription: connect_four::event_store::Subscription| {
        while let Some(message) = soon(futures_util::StreamExt::next(&mut subscription)).await {
            match message {
                SubscriptionMessage::StreamTruncated(truncated) if truncated == stream => return,
                SubscriptionMessage::Recorded(event) => {
                    assert_ne!(event.event_type, "$streamDeleted");
                }
                SubscriptionMessage::StreamTruncated(_)
                | SubscriptionMessage::CaughtUp
                | SubscriptionMessage::Disconnected => {}
            }
        }
        panic!("the subscription ended");
    };
    let mut live = store.subscribe_all(PREFIX, before);
    while !matches!(
        soon(futures_util::StreamExt::next(&mut live)).await,
        Some(SubscriptionMessage::CaughtUp)
    ) {}
    store.delete_stream(&stream).await.expect("it is deleted");
    report(live).await;
    for after in [before, Some(last)] {
        report(store.subscribe_all(PREFIX, after)).await;
    }
}

pub(crate) async fn a_working_store_passes_its_check_and_names_its_location(
    store: Arc<dyn EventStore>,
) {
    assert_eq!(store.check().await, Ok(()));
    assert!(!store.location().is_empty());
}

/// The next events of this stream after the position, read with this limit per read.
async fn read_on(
    store: &dyn EventStore,
    stream: &StreamName,
    mut after: Option<GlobalPosition>,
    limit: usize,
) -> Vec<RecordedEvent> {
    let mut events = Vec::new();
    loop {
        let read = store.read_all(PREFIX, after, limit).await;
        let read = read.expect("a position that was given");
        assert!(read.len() <= limit);
        let is_end = read.len() < limit;
        after = read.last().map_or(after, |last| Some(last.position));
        events.extend(read.into_iter().filter(|event| event.stream == *stream));
        if is_end {
            return events;
        }
    }
}

pub(crate) async fn a_bounded_read_delivers_the_same_events_as_a_subscription(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let before = head_of(&*store).await;
    begin(&*store, &stream, new_events(7)).await;
    go_on(&*store, &stream, 6, new_events(2)).await;
    let delivered = Listener::new(&*store, std::slice::from_ref(&stream), before)
        .take(9)
        .await;
    for limit in [1, 4, 1000] {
        assert_eq!(read_on(&*store, &stream, before, limit).await, delivered);
    }
    let after = Some(delivered[3].position);
    assert_eq!(read_on(&*store, &stream, after, 1000).await, delivered[4..]);
    let from_the_start = read_on(&*store, &stream, None, 100_000).await;
    assert_eq!(from_the_start, delivered);
}

pub(crate) async fn a_bounded_read_ends_at_its_limit_or_at_the_end_of_the_store(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let before = head_of(&*store).await;
    let appended = begin(&*store, &stream, new_events(3)).await;
    let two = store.read_all(PREFIX, before, 2).await;
    assert_eq!(two.expect("events are there").len(), 2);
    let none = store.read_all(PREFIX, before, 0).await;
    assert_eq!(none, Ok(Vec::new()));
    let later = read_on(&*store, &stream, Some(appended.position), 2).await;
    assert!(later.is_empty());
}

pub(crate) async fn a_bounded_read_delivers_only_streams_with_the_prefix(
    store: Arc<dyn EventStore>,
) {
    let other = stream_named("other-");
    let before = head_of(&*store).await;
    let elsewhere = begin(&*store, &other, new_events(2)).await;
    let stream = new_stream();
    begin(&*store, &stream, new_events(1)).await;
    let read = store.read_all(PREFIX, before, 1000).await.expect("events");
    assert!(
        read.iter()
            .all(|event| event.stream.as_str().starts_with(PREFIX))
    );
    // A read may also start at the position of an event that the filter leaves out.
    let read = read_on(&*store, &stream, Some(elsewhere.position), 1000).await;
    assert_eq!(read.len(), 1);
}

pub(crate) async fn a_bounded_read_includes_every_acknowledged_append(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    let mut last = head_of(&*store).await;
    let mut expected = ExpectedRevision::NoStream;
    for _ in 0..20 {
        let event = new_event();
        let id = event.id;
        let appended = store.append(&stream, expected, vec![event]).await;
        let appended = appended.expect("nobody else writes to the stream");
        let read = read_on(&*store, &stream, last, 100).await;
        assert_eq!(read.iter().map(|event| event.id).collect::<Vec<_>>(), [id]);
        expected = ExpectedRevision::Exact(appended.revision);
        last = Some(appended.position);
    }
}

/// A position shortly after this one at which no store has an event: the prepare and the commit
/// position are equal for all events of these tests.
fn beside(position: GlobalPosition) -> GlobalPosition {
    let number: u64 = position.to_string().parse().expect("a single number");
    format!("{}-{number}", number + 1)
        .parse()
        .expect("a position")
}

pub(crate) async fn a_bounded_read_after_a_position_without_an_event_is_an_error(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let first = begin(&*store, &stream, new_events(1)).await.position;
    // A second event, so that the position next to the first one is not beyond the end.
    go_on(&*store, &stream, 0, new_events(3)).await;
    let position = beside(first);
    let read = store.read_all(PREFIX, Some(position), 10).await;
    assert_eq!(read, Err(EventStoreError::NoEventAtPosition { position }));
}

pub(crate) async fn a_bounded_read_beyond_the_head_is_an_error(store: Arc<dyn EventStore>) {
    let stream = new_stream();
    begin(&*store, &stream, new_events(1)).await;
    let position = beyond_every_head();
    let read = store.read_all(PREFIX, Some(position), 10).await;
    assert_eq!(read, Err(EventStoreError::PositionBeyondHead { position }));
}

/// Beyond the end of every store of the tests, and still a valid number for every store.
fn beyond_every_head() -> GlobalPosition {
    (1_u64 << 60).to_string().parse().expect("a position")
}

pub(crate) async fn looking_up_a_position_returns_the_event_that_was_recorded_there(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let before = head_of(&*store).await;
    begin(&*store, &stream, new_events(3)).await;
    for event in read_on(&*store, &stream, before, 1000).await {
        let found = store.event_at(event.position).await;
        assert_eq!(found, Ok(AtPosition::Event(event)));
    }
}

pub(crate) async fn looking_up_a_position_without_an_event_returns_nothing(
    store: Arc<dyn EventStore>,
) {
    let stream = new_stream();
    let first = begin(&*store, &stream, new_events(1)).await.position;
    go_on(&*store, &stream, 0, new_events(3)).await;
    for position in [beside(first), beyond_every_head()] {
        assert_eq!(store.event_at(position).await, Ok(AtPosition::Nothing));
    }
}
