//! Reading page by page returns every game once, even if games change between two pages.

use std::collections::BTreeSet;
use std::sync::Arc;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, MemoryStore};
use connect_four::read_model::{GameStatus, GamesQuery};

use crate::support::{Following, append, finished, moved, start_games, started};

/// Reads all pages and returns their games. Between two pages, games are started, moved in and
/// ended.
async fn walk(store: &Arc<dyn EventStore>, query: GamesQuery, ends: &[GameId]) -> Vec<GameId> {
    let following = Following::in_memory(store).await;
    following.catches_up().await;
    let mut ends = ends.iter();
    let mut met = Vec::new();
    let mut before = None;
    loop {
        let query = GamesQuery {
            before,
            ..query.clone()
        };
        let page = following.model.games(&query).await.expect("an answer");
        assert!(page.games.len() <= query.limit);
        met.extend(page.games.iter().map(|game| game.id));
        assert!(met.len() < 1_000, "the pages do not end");
        let Some(next) = page.next else {
            return met;
        };
        before = Some(next);
        let new = GameId::generate();
        append(store, new, &[started("grace", "ada"), moved("grace", "D")]).await;
        if let Some(end) = ends.next() {
            append(store, *end, &[moved("ada", "A"), finished("TIED")]).await;
        }
        let last = append(store, new, &[moved("ada", "D")]).await;
        following.sees(last).await;
    }
}

#[tokio::test]
async fn every_game_is_returned_once_while_games_are_started_and_moved_in() {
    for player in [None, Some("ada".to_owned())] {
        for limit in [1, 2, 7, 24, 25] {
            let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
            let mut games = start_games(&store, 25).await;
            let query = GamesQuery {
                player: player.clone(),
                limit,
                ..GamesQuery::default()
            };
            let met = walk(&store, query, &games).await;
            games.reverse();
            assert_eq!(met, games, "in pages of {limit}");
        }
    }
}

#[tokio::test]
async fn a_game_that_ends_between_two_pages_is_returned_at_most_once_and_no_other_game_is_missed() {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let games = start_games(&store, 20).await;
    let query = GamesQuery {
        status: Some(GameStatus::InProgress),
        limit: 3,
        ..GamesQuery::default()
    };
    let met = walk(&store, query, &games[..5]).await;
    let distinct: BTreeSet<_> = met.iter().collect();
    assert_eq!(met.len(), distinct.len());
    assert!(games[5..].iter().all(|game| distinct.contains(game)));
}
