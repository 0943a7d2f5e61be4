//! Copies from every kind of store to every kind.

use bytes::Bytes;
use connect_four::application::{GameId, upcast};
use connect_four::cli::copy::{OnDifference, Transfer};
use connect_four::event_store::StreamRevision;

use crate::double::Double;
use crate::histories::{all_events, assert_equal, expected_at, new_event, store_game, store_games};
use crate::stores::{KINDS, Kind, at, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_store_is_copied_to_every_store_and_copying_again_stores_nothing() {
    for from in KINDS {
        let source = open(from).await;
        store_games(&*source.store, 60).await;
        for to in KINDS {
            let target = open(to).await;
            let transfer = || {
                let (source, target) = (source.store.clone(), target.store.clone());
                Transfer::new(source, target, OnDifference::Stop)
            };
            transfer().copy().await.expect("a copy");
            assert_equal(&*source.store, &*target.store).await;

            let head = target.store.head().await.expect("it answers");
            transfer().copy().await.expect("a copy");
            assert_eq!(target.store.head().await, Ok(head), "{from:?} to {to:?}");
            let compared = transfer().verify().await;
            compared.expect("they are equal");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn games_begin_in_the_target_in_the_order_of_the_source() {
    for to in [Kind::Memory, Kind::Sqlite] {
        let source = open(Kind::Sqlite).await;
        let target = open(to).await;
        for events in (1..200).map(|number| number % 40 + 1) {
            store_game(&*source.store, events).await;
        }
        let transfer = Transfer::new(
            source.store.clone(),
            target.store.clone(),
            OnDifference::Stop,
        );
        transfer.copy().await.expect("a copy");
        let mut begun = Vec::new();
        for store in [&source.store, &target.store] {
            let beginnings = all_events(&**store).await.into_iter();
            let beginnings = beginnings.filter(|event| event.revision == StreamRevision::FIRST);
            begun.push(beginnings.map(|event| event.stream).collect::<Vec<_>>());
        }
        assert!(begun[0] == begun[1], "another order in {to:?}");
    }
}

/// KurrentDB refuses appends of more than a megabyte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_streams_and_large_events_are_stored_in_several_appends() {
    let source = open(Kind::Sqlite).await;
    store_game(&*source.store, 1_200).await;
    let stream = GameId::generate().stream();
    let large: Bytes = format!("\"{}\"", "x".repeat(200_000)).into();
    for revision in 0..5 {
        let event = new_event("MoveMade", large.clone(), "");
        let appended = source
            .store
            .append(&stream, expected_at(revision), vec![event]);
        appended.await.expect("there is no other writer");
    }
    let double = Double::start().await;
    let target = at(&double.connection_string()).await;
    let transfer = Transfer::new(source.store.clone(), target.clone(), OnDifference::Stop);
    transfer.copy().await.expect("a copy");
    assert_equal(&*source.store, &*target).await;
    assert_eq!(double.calls().appends, 3 + 3);
}

/// The metadata of an event has the same bytes after any number of copies, and the first time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_copied_back_is_the_same_as_the_copy() {
    let original = open(Kind::Sqlite).await;
    store_games(&*original.store, 10).await;
    let there = open(Kind::KurrentDb).await;
    let back = open(Kind::Sqlite).await;
    for (from, to) in [(&original, &there), (&there, &back), (&back, &original)] {
        let transfer = Transfer::new(from.store.clone(), to.store.clone(), OnDifference::Stop);
        transfer.copy().await.expect("a copy");
        transfer.verify().await.expect("they are equal");
    }
    assert_equal(&*original.store, &*back.store).await;
    let (there, back) = (
        all_events(&*there.store).await,
        all_events(&*back.store).await,
    );
    assert_eq!(there.len(), back.len());
    for copied in &back {
        let same = there.iter().find(|event| event.id == copied.id);
        let same = same.expect("it was copied from there");
        assert_eq!(same.metadata, copied.metadata);
        assert!(upcast::recorded_at(copied) < copied.recorded_at);
    }
}
