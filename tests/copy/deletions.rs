//! Games that were deleted on KurrentDB, in the source or in the target.

use crate::double::Double;
use crate::histories::{store_game, streams};
use crate::program::{copy, run};
use crate::stores::{Files, at, to_read};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_game_that_was_deleted_in_the_source_is_not_copied() {
    let files = Files::new();
    let double = Double::start().await;
    let (from, to) = (double.connection_string(), files.url("to.db"));
    let source = at(&from).await;
    let kept = store_game(&*source, 3).await;
    let deleted = store_game(&*source, 3).await;
    let tombstoned = store_game(&*source, 3).await;
    let truncated = store_game(&*source, 3).await;
    double.delete(deleted.as_str());
    double.tombstone(tombstoned.as_str());
    double.set_metadata(truncated.as_str(), r#"{"$tb":2}"#);
    let said = copy(&from, &to).await;
    assert!(
        said.contains("Games that were deleted in the source: 3"),
        "{said}"
    );
    let copied = streams(&*to_read(&to).await).await;
    assert_eq!(copied.keys().collect::<Vec<_>>(), [kept.as_str()]);
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
    let (code, said) = run(&["copy", "--from", &from, "--to", &to]).await;
    assert_eq!(code, Some(3), "{said}");
    let named = format!("{game} differs: it was deleted in the target");
    assert!(said.contains(&named), "{said}");
}
