//! Games whose streams are deleted or truncated: they are removed from the lists, and a rebuild
//! gives the same result.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, StreamName, StreamRevision};
use connect_four::read_model::{OpenReadModelError, ReadModel, ReadModelLocation};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use crate::erasable::Erasable;
use crate::generated::any_game;
use crate::logs::Logs;
use crate::support::{
    Files, Following, append, append_to, finished, moved, rows, start_games, started, until,
};

fn erasable() -> (Erasable, Arc<dyn EventStore>) {
    let store = Erasable::default();
    (store.clone(), Arc::new(store))
}

async fn games_of(following: &Following, player: &str) -> Option<u64> {
    let answer = following.model.player(player).await.expect("an answer");
    answer.value.map(|record| record.played)
}

/// Resolves when the list contains exactly these games.
async fn shows(following: &Following, numbers: &[u64]) {
    let shown = async {
        while following.numbers().await != numbers {
            tokio::task::yield_now().await;
        }
    };
    let shown = tokio::time::timeout(crate::support::PATIENCE, shown).await;
    assert!(
        shown.is_ok(),
        "{:?}, not {numbers:?}",
        following.numbers().await
    );
}

#[tokio::test]
async fn a_deleted_game_is_removed_from_the_lists_of_every_service() {
    let ends: [fn(&Erasable, &StreamName); 4] = [
        |database, stream| database.delete(stream),
        |database, stream| database.truncate_before(stream, 1),
        |database, stream| database.truncate_before(stream, 10),
        |database, stream| database.tombstone(stream),
    ];
    for end in ends {
        let (database, store) = erasable();
        let files = Files::new();
        let path = files.path("model.db");
        let one = Following::in_file(&path, &store).await;
        let other = Following::in_memory(&store).await;
        let running = GameId::generate();
        let ended = GameId::generate();
        append(
            &store,
            running,
            &[started("ada", "grace"), moved("ada", "D")],
        )
        .await;
        append(&store, ended, &[started("ada", "alan"), finished("TIED")]).await;
        start_games(&store, 1).await;
        for following in [&one, &other] {
            shows(following, &[3, 2, 1]).await;
        }
        end(&database, &running.stream());
        end(&database, &ended.stream());
        for following in [&one, &other] {
            shows(following, &[3]).await;
            assert_eq!(games_of(following, "ada").await, Some(1));
            assert_eq!(games_of(following, "alan").await, None);
            assert_eq!(following.told.truncated(), [running, ended]);
            assert_eq!(following.told.restored(), 0);
        }
        one.stop().await;
        assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
    }
}

#[tokio::test]
async fn later_events_in_the_stream_of_a_deleted_game_are_skipped() {
    for is_scavenged in [false, true] {
        let logs = Logs::of_this_thread();
        let (database, store) = erasable();
        let files = Files::new();
        let path = files.path("model.db");
        let following = Following::in_file(&path, &store).await;
        let games = start_games(&store, 2).await;
        database.delete(&games[0].stream());
        shows(&following, &[2]).await;
        append(&store, games[0], &[started("ada", "grace")]).await;
        let last = append(&store, games[1], &[moved("ada", "D")]).await;
        following.sees(last).await;
        assert_eq!(following.numbers().await, [2]);
        following.stop().await;
        if is_scavenged {
            database.scavenge();
        }
        let rebuilt = Following::in_memory(&store).await;
        rebuilt.catches_up().await;
        assert_eq!(rebuilt.numbers().await.len(), 1);
        assert_eq!(rebuilt.model.status().unreadable_streams, 0);
        assert!(logs.with("not a valid game").is_empty());
        if !is_scavenged {
            assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
        }
    }
}

#[tokio::test]
async fn a_game_whose_stream_is_gone_when_it_is_read_counts_as_deleted_not_as_unreadable() {
    let (database, store) = erasable();
    let files = Files::new();
    let path = files.path("model.db");
    let games = start_games(&store, 2).await;
    let following = Following::in_file(&path, &store).await;
    following.catches_up().await;
    following.stop().await;
    append(&store, games[0], &[moved("ada", "D")]).await;
    database.delete(&games[0].stream());
    let following = Following::in_file(&path, &store).await;
    following.catches_up().await;
    assert_eq!(following.numbers().await, [2]);
    assert_eq!(following.model.status().unreadable_streams, 0);
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}

#[tokio::test]
async fn a_game_whose_stream_has_a_maximum_length_is_listed_until_its_first_event_is_removed() {
    let (database, store) = erasable();
    let files = Files::new();
    let path = files.path("model.db");
    let (early, late) = (GameId::generate(), GameId::generate());
    database.keep_at_most(&early.stream(), 2);
    let following = Following::in_file(&path, &store).await;
    for game in [early, late] {
        append(&store, game, &[started("ada", "grace")]).await;
    }
    database.keep_at_most(&late.stream(), 2);
    for (player, shown) in [("ada", &[2, 1][..]), ("grace", &[])] {
        for game in [early, late] {
            append(&store, game, &[moved(player, "D")]).await;
        }
        let last = append(&store, GameId::generate(), &[moved("ada", "D")]).await;
        following.sees(last).await;
        assert_eq!(following.numbers().await, shown);
    }
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}

#[tokio::test]
async fn a_deleted_game_whose_events_exist_again_is_listed_again() {
    let (database, store) = erasable();
    let files = Files::new();
    let path = files.path("model.db");
    let following = Following::in_file(&path, &store).await;
    let games = start_games(&store, 3).await;
    append(&store, games[0], &[moved("ada", "D")]).await;
    database.truncate_before(&games[0].stream(), 1);
    shows(&following, &[3, 2]).await;
    database.lift_limits(&games[0].stream());
    shows(&following, &[3, 2, 1]).await;
    following.catches_up().await;
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}

#[tokio::test]
async fn an_unreadable_stream_that_is_deleted_is_no_longer_counted() {
    let (database, store) = erasable();
    let files = Files::new();
    let path = files.path("model.db");
    let following = Following::in_file(&path, &store).await;
    let twice = [started("ada", "grace"), started("ada", "grace")];
    let (one, other) = (GameId::generate(), GameId::generate());
    append(&store, one, &twice).await;
    append(&store, other, &twice).await;
    let unreadable = || following.model.status().unreadable_streams;
    until(|| unreadable() == 2).await;
    database.delete(&one.stream());
    until(|| unreadable() == 1).await;
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}

#[tokio::test]
async fn a_deletion_is_applied_after_the_stream_could_not_be_read_at_first() {
    let (database, store) = erasable();
    let following = Following::in_memory(&store).await;
    let games = start_games(&store, 2).await;
    following.catches_up().await;
    database.failing_reads.store(3, Ordering::SeqCst);
    database.delete(&games[1].stream());
    shows(&following, &[1]).await;
    assert_eq!(database.failing_reads.load(Ordering::SeqCst), 0);
    assert_eq!(following.told.restored(), 0);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Event,
    Delete,
    TruncateBefore(u64),
    KeepAtMost(u64),
    Tombstone,
    LiftLimits,
    LoseConnections,
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => Just(Step::Event),
        1 => Just(Step::Delete),
        1 => (0_u64..6).prop_map(Step::TruncateBefore),
        1 => (1_u64..6).prop_map(Step::KeepAtMost),
        1 => Just(Step::Tombstone),
        1 => Just(Step::LiftLimits),
        1 => Just(Step::LoseConnections),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_deleted_a_read_model_that_followed_live_equals_a_rebuilt_one(
        games in vec(any_game(), 1..6),
        steps in vec((any::<Index>(), any_step()), 1..150),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (database, store) = erasable();
            let files = Files::new();
            let path = files.path("grown.db");
            let mut streams: Vec<_> = games
                .into_iter()
                .zip(1..)
                .map(|(game, number)| {
                    let id = GameId::from_uuid(Uuid::from_u128(number));
                    (id.stream(), game.events.into_iter())
                })
                .collect();
            let mut following = Following::in_file(&path, &store).await;
            for (index, step) in steps {
                let place = index.index(streams.len());
                let (stream, events) = &mut streams[place];
                match step {
                    Step::Event => {
                        let end = store.read_stream(stream, StreamRevision::FIRST).await;
                        if let (Some(event), Ok(_)) = (events.next(), end) {
                            append_to(&store, stream, &[event]).await;
                        }
                    }
                    Step::Delete => database.delete(stream),
                    Step::TruncateBefore(revision) => database.truncate_before(stream, revision),
                    Step::KeepAtMost(events) => database.keep_at_most(stream, events),
                    Step::Tombstone => database.tombstone(stream),
                    Step::LiftLimits => database.lift_limits(stream),
                    Step::LoseConnections => database.lose_connections(),
                    Step::Restart => {
                        following.stop().await;
                        following = reopened(&path, &store).await;
                    }
                }
            }
            // Everything delivered before this event is applied in the same batch or earlier.
            let last = GameId::from_uuid(Uuid::from_u128(0xabc));
            let last = append(&store, last, &[started("ada", "grace")]).await;
            following.sees(last).await;
            following.stop().await;
            assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
        });
    }
}

/// Opens the file once the work that was running when the projector was stopped has ended.
async fn reopened(path: &Path, store: &Arc<dyn EventStore>) -> Following {
    let location = ReadModelLocation::File(path.to_owned());
    loop {
        match ReadModel::open(&location).await {
            Ok(model) => return Following::by(model, store),
            Err(OpenReadModelError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
