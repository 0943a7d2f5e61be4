//! Targets that have other events, and the exit codes.

use connect_four::event_store::{EventStore, StreamName};

use crate::double::Double;
use crate::histories::{all_events, expected_at, new_event, store_game, store_games, streams};
use crate::program::{copy, run, verify};
use crate::stores::{Files, at, to_read};

/// Stores an event that is in no other store.
async fn store_other_event(store: &dyn EventStore, stream: &StreamName, revision: u64) {
    let event = new_event("MoveMade", "{}".into(), "");
    let appended = store.append(stream, expected_at(revision), vec![event]);
    appended.await.expect("the stream ends before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_game_that_differs_is_named_and_ends_the_copy_or_is_left_out() {
    let files = Files::new();
    let double = Double::start().await;
    let from = files.url("from.db");
    let source = at(&from).await;
    let differing = store_game(&*source, 3).await;
    store_games(&*source, 20).await;
    let games = streams(&*source).await.len();
    drop(source);
    for to in [files.url("to.db"), double.connection_string()] {
        let target = at(&to).await;
        store_other_event(&*target, &differing, 0).await;
        drop(target);

        let named = format!("{differing} differs: the target has another event at revision 0");
        let arguments = ["copy", "--from", &from, "--to", &to];
        let (code, said) = run(&arguments).await;
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(&named), "{said}");

        let (code, said) = run(&[&arguments[..], &["--keep-going"]].concat()).await;
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(&named), "{said}");
        assert!(
            said.contains("Games that differ in the target: 1"),
            "{said}"
        );
        let copied = streams(&*to_read(&to).await).await;
        assert_eq!(copied.len(), games);
        assert_eq!(copied[differing.as_str()].len(), 1, "it was left alone");

        let (code, said) = verify(&from, &to).await;
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(&named), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_has_a_part_gets_the_rest_and_one_that_was_continued_is_left_alone() {
    let files = Files::new();
    let (from, to) = (files.url("from.db"), files.url("to.db"));
    let source = at(&from).await;
    let grows = store_game(&*source, 2).await;
    let continued = store_game(&*source, 2).await;
    drop(source);
    let said = copy(&from, &to).await;
    assert!(said.contains("Copied 4 events in "), "{said}");
    assert!(said.contains("Games: 2"), "{said}");
    let said = copy(&from, &to).await;
    assert!(said.contains("Copied 0 events in "), "{said}");
    let present = "Events that the target had already: 4";
    assert!(said.contains(present), "{said}");

    let (source, target) = (at(&from).await, at(&to).await);
    store_other_event(&*source, &grows, 2).await;
    store_other_event(&*target, &continued, 2).await;
    drop((source, target));
    let (code, said) = verify(&from, &to).await;
    assert_eq!(code, Some(3), "{said}");
    let missing = format!("{grows} differs: the target has no events from revision 2 on");
    assert!(said.contains(&missing), "{said}");

    let said = copy(&from, &to).await;
    assert!(said.contains("Copied 1 events"), "{said}");
    let (code, said) = verify(&from, &to).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("Games with more events in the target: 1"),
        "{said}"
    );

    // Now the source is continued in another way.
    let source = at(&from).await;
    store_other_event(&*source, &continued, 2).await;
    drop(source);
    let (code, said) = run(&["copy", "--from", &from, "--to", &to]).await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(continued.as_str()), "{said}");
    assert_eq!(all_events(&*to_read(&to).await).await.len(), 6);
}

#[tokio::test]
async fn an_event_with_the_same_id_and_other_data_is_found_by_comparing() {
    let files = Files::new();
    let (from, to) = (files.url("from.db"), files.url("to.db"));
    let source = at(&from).await;
    let stream = store_game(&*source, 3).await;
    drop(source);
    copy(&from, &to).await;
    for change in [
        "data = x'7b7d'",
        "type = 'GameFinished'",
        "metadata = x'7b7d'",
    ] {
        let changed = rusqlite::Connection::open(files.path("to.db")).expect("a database");
        let before = "CREATE TEMP TABLE kept AS SELECT * FROM events";
        changed.execute_batch(before).expect("a copy of the rows");
        let update = format!("UPDATE events SET {change} WHERE revision = 1");
        changed.execute(&update, []).expect("a row");
        let (code, said) = verify(&from, &to).await;
        assert_eq!(code, Some(3), "{change}: {said}");
        let named = format!("{stream} differs: the target has another event at revision 1");
        assert!(said.contains(&named), "{said}");
        let back = "REPLACE INTO events SELECT * FROM kept; DROP TABLE kept";
        changed.execute_batch(back).expect("the rows");
    }
    let (code, said) = verify(&from, &to).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused() {
    let files = Files::new();
    let (from, to) = (files.url("from.db"), files.url("to.db"));
    let again = files.url("./from.db");
    drop(at(&from).await);
    for (arguments, code, instead) in [
        (&["--from", "memory:", "--to", &to][..], 1, "memory: cannot"),
        (&["--from", &from, "--to", "memory:"], 1, "memory: cannot"),
        (&["--from", &from, "--to", &from], 1, "the same store"),
        (&["--from", &from, "--to", &again], 1, "the same store"),
        (
            &["--from", "nowhere", "--to", &to],
            1,
            "the source: \"nowhere\"",
        ),
        (&["--from", &to, "--to", &from], 1, "does not exist"),
        (&["--from", &from], 2, "--to"),
        (
            &["--from", &from, "--to", &to, "--verify", "--follow"],
            2,
            "--follow",
        ),
    ] {
        let (actual, said) = run(&[&["copy"], arguments].concat()).await;
        assert_eq!(actual, Some(code), "{said}");
        assert!(said.contains(instead), "{said}");
        assert!(!files.path("to.db").exists(), "{arguments:?}");
    }
}
