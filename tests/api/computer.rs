//! The computer as an opponent, on one service and on several at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connect_four::computer::{ComputerPlayer, Level};
use connect_four::domain::PlayerName;
use connect_four::event_store::{self, EventStore};
use connect_four::http::App;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use reqwest::Method;
use serde_json::{Value, json};

use crate::double::Double;
use crate::service::{Client, Service, on_every_store};

/// Games that one test plays at the same time.
const AT_ONCE: usize = 8;

impl Service {
    /// A service on this store with a computer that plays fast.
    pub(crate) async fn with_computer(store: Arc<dyn EventStore>) -> Service {
        Service::with_computer_named(store, "computer").await
    }

    pub(crate) async fn with_computer_named(store: Arc<dyn EventStore>, name: &str) -> Service {
        let computer = ComputerPlayer {
            name: PlayerName::parse(name).expect("a name"),
            level: Level::Easy,
        };
        let app = App::new(store.clone()).with_computer(computer);
        Service::serving(app.expect("threads"), store).await
    }
}

/// Starts a game between these players, and returns its path.
pub(crate) async fn start(client: &Client, players: [&str; 2]) -> String {
    let body = json!({"player_one": players[0], "player_two": players[1]});
    let game = client.post("/games", body).await.is(201).json();
    format!("/games/{}", game["id"].as_str().expect("an id"))
}

pub(crate) async fn move_in(client: &Client, game: &str, player: &str, column: &str) -> Value {
    let body = json!({"player": player, "column": column});
    let made = client.post(&format!("{game}/moves"), body).await;
    made.is(201).json()
}

/// The game when it is not the opponent's turn any more.
pub(crate) async fn after_the_reply(client: &Client, game: &str, human: &str) -> Value {
    let replied = async {
        let mut known = client.get(game).await.is(200);
        loop {
            let state = known.json();
            if state["is_finished"] == true || state["next_player"] == human {
                return state;
            }
            let tag = known.header("etag").to_owned();
            let wait = client.request(Method::GET, game);
            let wait = wait
                .header("if-none-match", &tag)
                .header("prefer", "wait=5");
            let answer = wait.send().await;
            if answer.status != 304 {
                known = answer.is(200);
            }
        }
    };
    let replied = tokio::time::timeout(Duration::from_secs(60), replied).await;
    replied.unwrap_or_else(|_| panic!("no reply in {game}"))
}

/// Waits until this is so.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(60), asked).await;
    asked.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// The value of a metric.
pub(crate) async fn metric(service: &Service, line: &str) -> u64 {
    let metrics = service.get("/metrics").await.is(200);
    let metrics = String::from_utf8(metrics.body).expect("text");
    let value = |found: &str| found.strip_prefix(line)?.trim().parse().ok();
    metrics.lines().find_map(value).unwrap_or(0)
}

/// Plays until the end, each request through the next of these services. The human's columns depend
/// on the seed alone.
pub(crate) async fn play_to_the_end(clients: &[&Client], game: &str, human: &str, seed: usize) {
    let mut turn = seed;
    let mut client = || {
        turn += 1;
        clients[turn % clients.len()]
    };
    loop {
        let state = after_the_reply(client(), game, human).await;
        if state["is_finished"] == true {
            return;
        }
        let column = column_for(&state, seed);
        move_in(client(), game, human, &column).await;
    }
}

/// A legal column that depends on the game and the seed.
pub(crate) fn column_for(state: &Value, seed: usize) -> String {
    let columns = state["legal_columns"].as_array().expect("columns");
    let revision = usize::try_from(state["revision"].as_u64().expect("a number")).expect("small");
    let column = &columns[(seed * 5 + revision * 3) % columns.len()];
    column.as_str().expect("a letter").to_owned()
}

/// Asserts that the players moved in turn until the end, that no event is stored twice, and that
/// nothing follows the end.
pub(crate) async fn is_a_finished_game(client: &Client, game: &str, players: [&str; 2]) {
    let page = client.get(&format!("{game}/events?limit=100")).await;
    let page = page.is(200).json();
    let events = page["events"].as_array().expect("events");
    let ids: BTreeSet<_> = events.iter().map(|event| event["id"].as_str()).collect();
    assert_eq!(ids.len(), events.len());
    let (first, rest) = events.split_first().expect("events");
    let (last, moves) = rest.split_last().expect("events");
    assert_eq!(first["type"], "GameStarted");
    assert_eq!(last["type"], "GameFinished");
    assert!(moves.len() >= 7);
    for (event, player) in moves.iter().zip(players.iter().cycle()) {
        assert_eq!(event["type"], "MoveMade");
        assert_eq!(event["data"]["player"], *player, "{game}");
    }
}

/// Plays this many games on three replicas with these stores.
async fn play_on_replicas(stores: [Arc<dyn EventStore>; 3], games: usize) {
    let replicas = join_all(stores.map(Service::with_computer)).await;
    let clients: Vec<&Client> = replicas.iter().map(|replica| &**replica).collect();
    let clients = &clients;
    let played = (0..games).map(async |seed| {
        let players = match seed % 2 {
            0 => ["alice", "computer"],
            _ => ["computer", "alice"],
        };
        let game = start(clients[seed % 3], players).await;
        play_to_the_end(clients, &game, "alice", seed).await;
        is_a_finished_game(clients[0], &game, players).await;
    });
    let all = stream::iter(played).buffer_unordered(AT_ONCE);
    assert_eq!(all.count().await, games);
}

/// As in production, each replica has its own connections to the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes more than a minute"]
async fn three_replicas_reply_once_to_each_move_in_a_thousand_games() {
    let double = Double::start().await;
    let store = async || event_store::open(&double.connection_string()).await;
    let stores = [store().await, store().await, store().await];
    play_on_replicas(stores.map(|store| store.expect("it opens")), 1000).await;
}

on_every_store! {
    async fn whoever_starts_a_game_with_the_computer_gets_moves_from_it_in_either_seat(service: Service) {
        let service = Service::with_computer(service.store.clone()).await;
        let client: &Client = &service;
        for (seed, players) in [["alice", "computer"], ["computer", "alice"]].into_iter().enumerate() {
            let game = start(client, players).await;
            play_to_the_end(&[client], &game, "alice", seed).await;
            is_a_finished_game(client, &game, players).await;
        }
    }

    async fn three_replicas_reply_once_to_each_move(service: Service) {
        let store = || service.store.clone();
        play_on_replicas([store(), store(), store()], AT_ONCE).await;
    }

    async fn a_turn_that_came_while_no_computer_was_running_is_not_forgotten(service: Service) {
        let game = start(&service, ["alice", "computer"]).await;
        move_in(&service, &game, "alice", "D").await;
        let first = start(&service, ["computer", "alice"]).await;
        let with_computer = Service::with_computer(service.store.clone()).await;
        for game in [game, first] {
            let replied = after_the_reply(&with_computer, &game, "alice").await;
            assert_eq!(replied["last_move"]["player"], "computer");
        }
    }

    async fn a_new_replica_that_reads_all_of_history_makes_no_move(service: Service) {
        let one = Service::with_computer(service.store.clone()).await;
        let waiting = start(&one, ["alice", "computer"]).await;
        move_in(&one, &waiting, "alice", "D").await;
        let waiting_at = after_the_reply(&one, &waiting, "alice").await["revision"].clone();
        let finished = start(&one, ["alice", "computer"]).await;
        play_to_the_end(&[&one], &finished, "alice", 3).await;
        let finished_at = one.get(&finished).await.json()["revision"].clone();
        let of_others = start(&one, ["alice", "bob"]).await;

        one.stop().await;
        let other = Service::with_computer(service.store.clone()).await;
        // Its reply shows that it has looked at the other games.
        let game = start(&other, ["computer", "alice"]).await;
        after_the_reply(&other, &game, "alice").await;
        for (game, at) in [(waiting, waiting_at), (finished, finished_at), (of_others, json!(0))] {
            assert_eq!(other.get(&game).await.json()["revision"], at);
        }
        assert_eq!(metric(&other, "connect_four_computer_moves_total{outcome=\"made\"}").await, 1);
    }

    async fn the_computer_needs_no_token_in_a_protected_game(service: Service) {
        let service = Service::with_computer(service.store.clone()).await;
        let body = json!({"player_one": "alice", "player_two": "computer", "protected": true});
        let started = service.post("/games", body).await.is(201).json();
        let game = format!("/games/{}", started["id"].as_str().expect("an id"));
        let token = started["tokens"]["player_one"].as_str().expect("a token");
        let moves = format!("{game}/moves");
        let made = service.request(Method::POST, &moves).json(&json!({"player": "alice", "column": "D"}));
        made.header("authorization", &format!("Bearer {token}")).send().await.is(201);
        let replied = after_the_reply(&service, &game, "alice").await;
        assert_eq!(replied["last_move"]["player"], "computer");
        // Nobody else moves for it without its token.
        let body = json!({"player": "computer", "column": "D"});
        service.post(&moves, body).await.is_problem(401, "token-required");
    }
}

#[tokio::test]
async fn the_computer_has_one_name_in_every_normalization() {
    let service = Service::on_memory().await;
    let game = start(&service, ["alice", "Zoe\u{301}"]).await;
    let computer = Service::with_computer_named(service.store.clone(), "Zo\u{e9}").await;
    move_in(&computer, &game, "alice", "D").await;
    let replied = after_the_reply(&computer, &game, "alice").await;
    assert_eq!(replied["last_move"]["player"], "Zo\u{e9}");
}

#[tokio::test]
async fn a_game_of_the_computer_against_itself_is_refused() {
    let service = Service::with_computer(Service::on_memory().await.store.clone()).await;
    let body = json!({"player_one": "computer", "player_two": "computer"});
    service.post("/games", body).await.is(422);
}

#[tokio::test]
async fn a_human_who_moves_for_the_computer_first_wins_the_race_and_the_game_goes_on() {
    let plain = Service::on_memory().await;
    let service = Service::with_computer(plain.store.clone()).await;
    for seed in 0..10 {
        let game = start(&service, ["alice", "computer"]).await;
        move_in(&service, &game, "alice", "A").await;
        let body = json!({"player": "computer", "column": "G"});
        let rival = plain.post(&format!("{game}/moves"), body).await;
        assert!(
            [201, 409].contains(&rival.status.as_u16()),
            "{}",
            rival.status
        );
        play_to_the_end(&[&service], &game, "alice", seed).await;
        is_a_finished_game(&service, &game, ["alice", "computer"]).await;
    }
}
