//! Games that were deleted in the source or in the target.

use std::sync::Arc;

use connect_four::cli::copy::{OnDifference, Transfer};
use connect_four::event_store::{
    EventStore, EventStoreError, ExpectedRevision, MemoryStore, StreamName, StreamRevision,
};

use crate::double::Double;
use crate::histories::{new_event, store_game, store_games, streams};
use crate::program::{Program, copy, run, verify};
use crate::stores::{Files, at, to_read};
use crate::troubled::Troubled;

/// Asserts that the game has no events, and that nobody can begin it again.
async fn assert_deleted(store: &dyn EventStore, stream: &StreamName) {
    let deleted = EventStoreError::StreamDeleted {
        stream: stream.clone(),
    };
    let read = store.read_stream(stream, StreamRevision::FIRST).await;
    assert_eq!(read.expect_err("it was deleted"), deleted);
    let event = new_event("GameStarted", "{}".into(), "");
    let begun = store.append(stream, ExpectedRevision::NoStream, vec![event]);
    assert_eq!(begun.await.expect_err("it was deleted"), deleted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_game_that_was_erased_in_the_source_is_erased_in_the_target_and_cannot_begin_again() {
    let doubles = [Double::start().await, Double::start().await];
    let files = Files::new();
    for (from, to) in [
        (files.url("a.db"), files.url("b.db")),
        (files.url("c.db"), doubles[0].connection_string()),
        (doubles[1].connection_string(), files.url("d.db")),
    ] {
        let source = at(&from).await;
        let never_copied = store_game(&*source, 3).await;
        source.delete_stream(&never_copied).await.expect("deleted");
        let copied = store_game(&*source, 3).await;
        store_games(&*source, 5).await;
        drop(source);
        copy(&from, &to).await;
        let (code, said) = verify(&from, &to).await;
        assert_eq!(code, Some(0), "{said}");

        let source = at(&from).await;
        let begun_later = store_game(&*source, 3).await;
        for stream in [&copied, &begun_later] {
            source.delete_stream(stream).await.expect("deleted");
        }
        drop(source);
        let (code, said) = verify(&from, &to).await;
        assert_eq!(code, Some(3), "{said}");
        for stream in [&copied, &begun_later] {
            let named =
                format!("{stream} differs: it was deleted in the source, but not in the target");
            assert!(said.contains(&named), "{said}");
        }
        assert!(!said.contains(never_copied.as_str()), "{said}");

        let said = copy(&from, &to).await;
        let told = format!("{copied} was deleted in the source, and now in the target");
        assert!(said.contains(&told), "{said}");
        for line in [
            "Games: 5",
            "Games that were deleted in the source: 3",
            "Games that were therefore deleted in the target: 1",
        ] {
            assert!(said.contains(line), "{said}");
        }
        let target = at(&to).await;
        for stream in [&never_copied, &copied, &begun_later] {
            assert_deleted(&*target, stream).await;
        }
        drop(target);
        let (code, said) = verify(&from, &to).await;
        assert_eq!(code, Some(0), "{said}");
        let said = copy(&from, &to).await;
        assert!(!said.contains("now in the target"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_game_that_is_erased_while_the_copy_follows_is_erased_in_the_target() {
    let files = Files::new();
    let double = Double::start().await;
    let (from, to) = (files.url("from.db"), double.connection_string());
    let source = at(&from).await;
    let (early, late) = (store_game(&*source, 3).await, store_game(&*source, 3).await);
    let mut program = Program::start(&["copy", "--from", &from, "--to", &to, "--follow"]);
    program.says("following").await;
    source.delete_stream(&early).await.expect("deleted");
    let told = format!("{early} was deleted in the source, and now in the target");
    program.says(&told).await;
    // The last one is found at the end at the latest.
    source.delete_stream(&late).await.expect("deleted");
    program.signal("TERM").await;
    let (code, said) = program.end().await;
    assert_eq!(code, Some(0), "{said}");
    let target = at(&to).await;
    assert_deleted(&*target, &early).await;
    assert_deleted(&*target, &late).await;
}

#[tokio::test]
async fn a_game_that_is_erased_in_both_stores_while_it_is_copied_is_not_a_difference() {
    let (source, target) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let game = store_game(&*source, 3).await;
    let erased = Troubled::is_erased(source, target.clone());
    let transfer = Transfer::new(erased, target.clone(), OnDifference::Stop);
    transfer.copy().await.expect("a copy");
    assert_deleted(&*target, &game).await;
}

/// A soft deletion can be undone, but a service shows nothing of such a game either. A truncation may be
/// a mistake in the settings of a stream, so a copy that was made before it is not destroyed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_kurrentdb_every_kind_of_deletion_counts_and_a_truncation_is_only_named() {
    let files = Files::new();
    let double = Double::start().await;
    let (from, to) = (double.connection_string(), files.url("to.db"));
    let source = at(&from).await;
    let kept = store_game(&*source, 3).await;
    let deleted = store_game(&*source, 3).await;
    let tombstoned = store_game(&*source, 3).await;
    let truncated = store_game(&*source, 3).await;
    let truncated_later = store_game(&*source, 3).await;
    double.delete(deleted.as_str());
    double.tombstone(tombstoned.as_str());
    double.set_metadata(truncated.as_str(), r#"{"$tb":2}"#);
    // The events of a deleted stream are still among all events, until they are scavenged.
    for is_scavenged in [false, true] {
        let to = files.url(&format!("{is_scavenged}.db"));
        let said = copy(&from, &to).await;
        assert!(
            said.contains("Games that were deleted in the source: 3"),
            "{said}"
        );
        let copied = streams(&*to_read(&to).await).await;
        let both = [kept.as_str(), truncated_later.as_str()];
        assert_eq!(copied.keys().collect::<Vec<_>>(), both);
        let target = at(&to).await;
        assert_deleted(&*target, &deleted).await;
        assert_deleted(&*target, &tombstoned).await;
        double.scavenge();
    }
    copy(&from, &to).await;
    double.set_metadata(truncated_later.as_str(), r#"{"$tb":1}"#);
    let named = format!("{truncated_later} differs: it was deleted in the source");
    for arguments in [
        &["copy", "--from", &from, "--to", &to][..],
        &["copy", "--from", &from, "--to", &to, "--verify"],
    ] {
        let (code, said) = run(arguments).await;
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(&named), "{said}");
    }
    assert_eq!(streams(&*to_read(&to).await).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_game_that_was_deleted_in_the_target_differs() {
    let files = Files::new();
    let double = Double::start().await;
    let (from, to) = (files.url("from.db"), double.connection_string());
    let source = at(&from).await;
    let game = store_game(&*source, 3).await;
    drop(source);
    copy(&from, &to).await;
    double.delete(game.as_str());
    for arguments in [
        &["copy", "--from", &from, "--to", &to][..],
        &["copy", "--from", &from, "--to", &to, "--verify"],
    ] {
        let (code, said) = run(arguments).await;
        assert_eq!(code, Some(3), "{said}");
        let named = format!("{game} differs: it was deleted in the target");
        assert!(said.contains(&named), "{said}");
    }
}
