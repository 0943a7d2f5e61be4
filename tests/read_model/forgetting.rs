//! The rest of the service, when the store has lost or replaced events: cached games are dropped,
//! and watchers are disconnected.

use std::sync::Arc;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, StreamRevision};
use connect_four::http::App;
use connect_four::live::{Interrupted, Live};
use connect_four::read_model::ReadModel;
use connect_four::server;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::erasable::Erasable;
use crate::support::{PATIENCE, append, moved, started};

struct Service {
    url: String,
    live: Arc<Live>,
    model: Arc<ReadModel>,
    serving: JoinHandle<()>,
}

impl Service {
    async fn on(store: &Arc<dyn EventStore>) -> Service {
        let model = Arc::new(ReadModel::in_memory());
        let app = App::with_read_model(store.clone(), model.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let live = app.live();
        timeout(PATIENCE, model.caught_up()).await.expect("in time");
        Service {
            url: format!("http://{address}"),
            live,
            model,
            serving: tokio::spawn(server::serve(app, listener, std::future::pending())),
        }
    }

    async fn game(&self, id: GameId) -> (StatusCode, Value) {
        let answer = reqwest::get(format!("{}/games/{id}", self.url)).await;
        let answer = answer.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn after_a_restore_games_are_read_again_and_watchers_receive_the_new_events() {
    let database = Erasable::default();
    let store: Arc<dyn EventStore> = Arc::new(database.clone());
    let game = GameId::generate();
    append(&store, game, &[started("ada", "grace")]).await;
    let backup = database.backup();
    append(&store, game, &[moved("ada", "C")]).await;
    let one = Service::on(&store).await;
    let other = Service::on(&store).await;
    for service in [&one, &other] {
        let (_, shown) = service.game(game).await;
        assert_eq!(shown["last_move"]["column"], "C", "{shown}");
    }

    let mut watching = Vec::new();
    for service in [&one, &other] {
        let of_a_game = service.live.watch(game).await;
        let of_a_game = of_a_game.after(StreamRevision::new(1));
        watching.push((of_a_game, service.live.watch_all().await));
    }
    database.go_away();
    database.restore(backup);
    database.come_back();
    for (of_a_game, of_all) in &mut watching {
        let ended = timeout(PATIENCE, of_a_game.next()).await.expect("in time");
        assert_eq!(ended.err(), Some(Interrupted::Behind));
        let ended = timeout(PATIENCE, of_all.after(None))
            .await
            .expect("in time");
        assert_eq!(ended.err(), Some(Interrupted::Behind));
    }
    let mut watching = Vec::new();
    for service in [&one, &other] {
        watching.push(service.live.watch(game).await.after(StreamRevision::FIRST));
    }
    // At this revision, both services cached another move.
    let position = append(&store, game, &[moved("ada", "D")]).await;
    for (service, watcher) in [&one, &other].into_iter().zip(&mut watching) {
        let heard = timeout(PATIENCE, watcher.next()).await.expect("in time");
        assert_eq!(heard.expect("an event").revision, StreamRevision::new(1));
        let (_, shown) = service.game(game).await;
        assert_eq!(shown["last_move"]["column"], "D", "{shown}");
        let seen = timeout(PATIENCE, service.model.reached(position)).await;
        seen.expect("in time");
        let ready = reqwest::get(format!("{}/readyz", service.url)).await;
        assert_eq!(ready.expect("an answer").status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_game_whose_first_event_was_deleted_is_dropped_from_the_cache() {
    let database = Erasable::default();
    let store: Arc<dyn EventStore> = Arc::new(database.clone());
    let game = GameId::generate();
    append(&store, game, &[started("ada", "grace"), moved("ada", "C")]).await;
    let service = Service::on(&store).await;
    assert_eq!(service.game(game).await.0, StatusCode::OK);
    let mut watcher = service.live.watch(game).await.after(StreamRevision::new(1));
    database.truncate_before(&game.stream(), 1);
    let ended = timeout(PATIENCE, watcher.next()).await.expect("in time");
    assert_eq!(ended.err(), Some(Interrupted::Behind));
    let forgotten = async { while service.game(game).await.0.is_success() {} };
    timeout(PATIENCE, forgotten).await.expect("in time");
}
