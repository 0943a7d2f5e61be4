//! Queries about games and players, and their answers, on every store.

use std::sync::Arc;

use connect_four::application::GameId;
use connect_four::domain::GameResult;
use connect_four::event_store::{self, EventStore, MemoryStore, SqliteStore};
use connect_four::read_model::{GameStatus, GamesQuery, PlayerRecord, PlayersSort, ReadModel};

use crate::double::Double;
use crate::support::{Files, Following, append, finished, moved, start_games, started};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn games_and_players_are_found_in_memory() {
    games_and_players_are_found(Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn games_and_players_are_found_in_sqlite() {
    let files = Files::new();
    let store = SqliteStore::open(files.path("events.db")).await;
    games_and_players_are_found(Arc::new(store.expect("it opens"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn games_and_players_are_found_in_kurrentdb() {
    let double = Double::start().await;
    let store = event_store::open(&double.connection_string()).await;
    games_and_players_are_found(store.expect("it opens")).await;
}

async fn games_and_players_are_found(store: Arc<dyn EventStore>) {
    let before = Following::in_memory(&store).await;
    let (ada_won, running) = (GameId::generate(), GameId::generate());
    let (tied, alone) = (GameId::generate(), GameId::generate());
    append(
        &store,
        ada_won,
        &[started("ada", "grace"), moved("ada", "D")],
    )
    .await;
    append(
        &store,
        running,
        &[started("grace", "ada"), moved("grace", "A")],
    )
    .await;
    append(&store, ada_won, &[finished("PLAYER_ONE_WON")]).await;
    append(
        &store,
        tied,
        &[started("ada", "\u{0} %'\n"), finished("TIED")],
    )
    .await;
    let last = append(
        &store,
        alone,
        &[started("", ""), finished("PLAYER_TWO_WON")],
    )
    .await;
    let after = Following::in_memory(&store).await;
    for following in [&before, &after] {
        following.sees(last).await;
        let model = &following.model;
        let all = GamesQuery::default();
        assert_eq!(found(model, &all).await, [alone, tied, running, ada_won]);
        let in_progress = GamesQuery {
            status: Some(GameStatus::InProgress),
            ..GamesQuery::default()
        };
        assert_eq!(found(model, &in_progress).await, [running]);
        let finished = GamesQuery {
            status: Some(GameStatus::Finished),
            ..GamesQuery::default()
        };
        assert_eq!(found(model, &finished).await, [alone, tied, ada_won]);
        let of_ada = GamesQuery {
            player: Some("ada".to_owned()),
            ..GamesQuery::default()
        };
        assert_eq!(found(model, &of_ada).await, [tied, running, ada_won]);
        let of_ada_finished = GamesQuery {
            status: finished.status,
            ..of_ada.clone()
        };
        assert_eq!(found(model, &of_ada_finished).await, [tied, ada_won]);
        let of_ada_tied = GamesQuery {
            result: Some(GameResult::Tied),
            ..of_ada
        };
        assert_eq!(found(model, &of_ada_tied).await, [tied]);
        for stranger in ["Ada", "nobody"] {
            let query = GamesQuery {
                player: Some(stranger.to_owned()),
                ..GamesQuery::default()
            };
            assert_eq!(found(model, &query).await, []);
        }

        let page = model.games(&query_of(1)).await.expect("an answer");
        assert_eq!(page.position, Some(last));
        let of_running = model.games(&in_progress_one()).await.expect("an answer");
        let game = &of_running.games[0];
        assert_eq!(
            (&game.player_one[..], &game.player_two[..]),
            ("grace", "ada")
        );
        assert_eq!(game.next_player.as_deref(), Some("ada"));
        assert_eq!((game.revision, game.result), (1, None));
        assert!(game.started_at <= game.changed_at);

        assert_eq!(
            record(model, "ada").await,
            Some(counts("ada", [3, 1, 0, 1, 1]))
        );
        assert_eq!(
            record(model, "grace").await,
            Some(counts("grace", [2, 0, 1, 0, 1]))
        );
        assert_eq!(record(model, "").await, Some(counts("", [1, 1, 0, 0, 0])));
        let odd = "\u{0} %'\n";
        assert_eq!(record(model, odd).await, Some(counts(odd, [1, 0, 0, 1, 0])));
        assert_eq!(record(model, "nobody").await, None);

        let by_won = model
            .players(PlayersSort::Won, 10)
            .await
            .expect("an answer");
        assert_eq!(names(&by_won.value), ["", "ada", odd, "grace"]);
        let by_played = model
            .players(PlayersSort::Played, 2)
            .await
            .expect("an answer");
        assert_eq!(names(&by_played.value), ["ada", "grace"]);
        assert_eq!(by_played.position, Some(last));
    }
}

#[tokio::test]
async fn an_unreadable_stream_leaves_lists_and_counters_and_other_games_go_on() {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let following = Following::in_memory(&store).await;
    let games = start_games(&store, 3).await;
    let last = append(&store, games[1], &[finished("TIED")]).await;
    following.sees(last).await;
    append(&store, games[1], &[moved("ada", "D")]).await;
    append(&store, games[1], &[started("ada", "grace")]).await;
    let last = append(&store, games[2], &[moved("ada", "D")]).await;
    following.sees(last).await;
    let model = &following.model;
    assert_eq!(
        found(model, &GamesQuery::default()).await,
        [games[2], games[0]]
    );
    assert_eq!(
        record(model, "ada").await,
        Some(counts("ada", [2, 0, 0, 0, 2]))
    );
    assert_eq!(model.status().unreadable_streams, 1);
    assert_eq!(model.status().events_applied, 7);
}

#[tokio::test]
async fn a_player_whose_only_game_is_unreadable_is_not_found() {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let following = Following::in_memory(&store).await;
    let twice = [started("ada", "grace"), started("ada", "grace")];
    let last = append(&store, GameId::generate(), &twice).await;
    following.sees(last).await;
    assert_eq!(record(&following.model, "ada").await, None);
    let players = following.model.players(PlayersSort::Played, 10).await;
    assert_eq!(players.expect("an answer").value, []);
}

fn query_of(limit: usize) -> GamesQuery {
    GamesQuery {
        limit,
        ..GamesQuery::default()
    }
}

fn in_progress_one() -> GamesQuery {
    GamesQuery {
        status: Some(GameStatus::InProgress),
        ..query_of(1)
    }
}

async fn found(model: &ReadModel, query: &GamesQuery) -> Vec<GameId> {
    let query = GamesQuery {
        limit: 100,
        ..query.clone()
    };
    let page = model.games(&query).await.expect("an answer");
    assert_eq!(page.next, None);
    page.games.iter().map(|game| game.id).collect()
}

async fn record(model: &ReadModel, name: &str) -> Option<PlayerRecord> {
    model.player(name).await.expect("an answer").value
}

fn counts(player: &str, [played, won, lost, tied, in_progress]: [u64; 5]) -> PlayerRecord {
    PlayerRecord {
        player: player.to_owned(),
        played,
        won,
        lost,
        tied,
        in_progress,
    }
}

fn names(records: &[PlayerRecord]) -> Vec<&str> {
    records.iter().map(|record| &record.player[..]).collect()
}
