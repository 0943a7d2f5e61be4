//! Protected games: only the holder of a player's token moves or resigns for that player.

use std::sync::Arc;

use bytes::Bytes;
use connect_four::application::{GameId, decode};
use connect_four::event_store::{ExpectedRevision, NewEvent, StreamRevision};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::service::{Answer, Client, Service, on_every_store};

const GOLDEN_DATA: &str = include_str!("../golden/GameStarted.protected.json");
const GOLDEN_METADATA: &str = include_str!("../golden/GameStarted.protected.metadata.json");
/// The tokens whose hashes are in the golden metadata.
const GOLDEN_TOKENS: [&str; 2] = [
    "9f86d081884c7d659a2feaa0c55ad015",
    "60303ae22b998861bce3b28f33eec1be",
];

/// A secret as an idempotency key, different in each test.
fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A protected game between ada and grace, with their tokens.
struct Protected {
    client: Client,
    id: String,
    ada: String,
    grace: String,
}

fn names(more: Value) -> Value {
    let mut body = json!({"player_one": "ada", "player_two": "grace", "protected": true});
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

fn tokens(answer: &Answer) -> [String; 2] {
    let started = answer.json();
    ["player_one", "player_two"].map(|player| {
        let token = started["tokens"][player].as_str();
        token
            .unwrap_or_else(|| panic!("a token of {player} in {started}"))
            .to_owned()
    })
}

impl Protected {
    async fn start(service: &Service) -> Protected {
        let started = service.post("/games", names(json!({}))).await.is(201);
        let [ada, grace] = tokens(&started);
        let id = started.json()["id"].as_str().expect("an id").to_owned();
        let client = service.another_client();
        Protected {
            client,
            id,
            ada,
            grace,
        }
    }

    async fn send(&self, path: &str, body: Value, token: Option<&str>) -> Answer {
        let path = format!("/games/{}{path}", self.id);
        let mut request = self.client.request(Method::POST, &path).json(&body);
        if let Some(token) = token {
            request = request.header("authorization", &format!("Bearer {token}"));
        }
        request.send().await
    }

    async fn move_by(&self, player: &str, column: &str, token: Option<&str>) -> Answer {
        let body = json!({"player": player, "column": column});
        self.send("/moves", body, token).await
    }
}

on_every_store! {
    async fn only_the_players_own_token_moves_and_resigns(service: Service) {
        let game = Protected::start(&service).await;
        let other = Protected::start(&service).await;
        let refusals = [
            (None, 401, "token-required"),
            (Some("garbage"), 401, "invalid-token"),
            (Some(""), 401, "invalid-token"),
            (Some(&other.ada), 401, "invalid-token"),
            (Some(&game.grace), 403, "not-your-seat"),
        ];
        for (token, status, slug) in refusals {
            let token = token.map(AsRef::as_ref);
            let moved = game.move_by("ada", "D", token).await;
            let resigned = game.send("/resignation", json!({"player": "ada"}), token).await;
            for answer in [moved, resigned] {
                answer.is_problem(status, slug);
                let challenge = answer.header("www-authenticate");
                assert_eq!(challenge.starts_with("Bearer realm="), status == 401, "{challenge}");
                let names_error = challenge.contains("error=\"invalid_token\"");
                assert_eq!(names_error, slug == "invalid-token", "{challenge}");
            }
        }
        game.move_by("ada", "D", Some(&game.ada)).await.is(201);
        game.move_by("grace", "D", Some(&game.grace)).await.is(201);
        // The rules come after the token.
        game.move_by("grace", "D", None).await.is_problem(401, "token-required");
        game.move_by("grace", "D", Some(&game.grace)).await.is_problem(409, "not-your-turn");
        game.move_by("eve", "D", Some(&game.ada)).await.is_problem(409, "player-not-in-game");
        game.move_by("eve", "D", None).await.is_problem(401, "token-required");
        let shown = service.get(&format!("/games/{}", game.id)).await.is(200).json();
        assert_eq!((&shown["revision"], &shown["protected"]), (&json!(2), &json!(true)));
        assert_eq!(shown.get("tokens"), None);
        let resigned = game.send("/resignation", json!({"player": "grace"}), Some(&game.grace)).await;
        assert!(resigned.status.is_success());
        assert_eq!(resigned.json()["result"], "PLAYER_ONE_WON");
    }

    async fn a_game_that_is_not_protected_ignores_tokens(service: Service) {
        let game = service.game_with("").await;
        let other = Protected::start(&service).await;
        for token in [&other.ada, "garbage"] {
            let request = game.move_request("ada", "D").header("authorization", &format!("Bearer {token}"));
            let answer = request.header("idempotency-key", "the-same-key-each-time").send().await;
            assert_eq!(answer.is(201).json()["protected"], false);
        }
    }

    async fn another_replica_and_an_empty_cache_check_the_same_tokens(service: Service) {
        let game = Protected::start(&service).await;
        let replica = service.replica().await;
        let there = Protected { client: replica.another_client(), ..game };
        there.move_by("ada", "D", Some(&there.grace)).await.is_problem(403, "not-your-seat");
        there.move_by("ada", "D", Some(&there.ada)).await.is(201);
    }

    async fn a_repeated_start_with_a_key_gets_the_same_tokens_also_from_another_replica(service: Service) {
        let key = &secret();
        let replica = service.replica().await;
        let start = async |client: &Client, body: Value| {
            let request = client.request(Method::POST, "/games").header("idempotency-key", key);
            request.json(&body).send().await
        };
        let first = start(&service, names(json!({}))).await.is(201);
        let id = first.json()["id"].as_str().expect("an id").to_owned();
        let [ada, grace] = tokens(&first);
        assert_ne!(ada, grace);
        assert_eq!(first.header("cache-control"), "no-store");
        for client in [&*service, &*replica] {
            let repeated = start(client, names(json!({}))).await.is(201);
            assert_eq!(repeated.body, first.body);
            assert_eq!(repeated.header("idempotent-replayed"), "true");
        }
        // The same key for a game that is not protected, or has other tokens, is another request.
        let open = json!({"player_one": "ada", "player_two": "grace"});
        start(&service, open).await.is_problem(422, "idempotency-key-reused");
        let chosen = json!({"tokens": {"player_one": secret(), "player_two": secret()}});
        start(&service, names(chosen)).await.is_problem(422, "idempotency-key-reused");
        let game = Protected { client: replica.another_client(), id, ada, grace };
        game.move_by("ada", "D", Some(&game.ada)).await.is(201);
        let repeated = start(&replica, names(json!({}))).await.is(201);
        assert_eq!(repeated.body, first.body);
    }

    async fn a_put_states_its_tokens_or_derives_them_and_can_be_repeated(service: Service) {
        let put = async |id: &str, body: &Value, key: Option<&str>| {
            let mut request = service.request(Method::PUT, &format!("/games/{id}")).json(body);
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            request.send().await
        };
        let id = &uuid::Uuid::new_v4().to_string();
        let chosen = [secret(), secret()];
        let body = names(json!({"tokens": {"player_one": chosen[0], "player_two": chosen[1]}}));
        assert_eq!(tokens(&put(id, &body, None).await.is(201)), chosen);
        assert_eq!(tokens(&put(id, &body, None).await.is(200)), chosen);
        let others = names(json!({"tokens": {"player_one": secret(), "player_two": secret()}}));
        for body in [&others, &json!({"player_one": "ada", "player_two": "grace"})] {
            put(id, body, None).await.is_problem(409, "game-already-started");
        }

        let id = &uuid::Uuid::new_v4().to_string();
        let problem = put(id, &names(json!({})), None).await.is_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "#/tokens");
        let key = &secret();
        let derived = put(id, &names(json!({})), Some(key)).await.is(201);
        let repeated = put(id, &names(json!({})), Some(key)).await.is(200);
        assert_eq!(tokens(&derived), tokens(&repeated));
    }

    async fn events_and_lists_do_not_show_the_hashes(service: Service) {
        let game = Protected::start(&service).await;
        game.move_by("ada", "D", Some(&game.ada)).await.is(201);
        let path = format!("/games/{}/events?limit=100", game.id);
        let page = service.get(&path).await.is(200);
        assert_eq!(page.json()["events"][0]["metadata"], json!({}));
        let everything = service.get("/events?limit=100").await.is(200);
        for answer in [&page, &everything] {
            assert!(!String::from_utf8_lossy(&answer.body).contains("sha256"));
        }
        let stream = game.id.parse::<GameId>().expect("an id").stream();
        let stored = service.store.read_stream(&stream, StreamRevision::FIRST).await;
        let stored = stored.expect("it is read").events;
        let metadata = String::from_utf8_lossy(&stored[0].metadata).into_owned();
        assert!(metadata.contains("token_sha256"), "{metadata}");
        for token in [&game.ada, &game.grace] {
            assert!(!metadata.contains(token.as_str()));
        }
    }

    async fn a_protected_game_that_an_earlier_version_stored_is_protected_by_the_same_tokens(service: Service) {
        let line = |text: &'static str| Bytes::from(text.trim_end());
        let (data, metadata) = (line(GOLDEN_DATA), line(GOLDEN_METADATA));
        let body = json!({
            "player_one": "Alice", "player_two": "Bob", "protected": true,
            "tokens": {"player_one": GOLDEN_TOKENS[0], "player_two": GOLDEN_TOKENS[1]},
        });
        let id = GameId::generate();
        let put = service.request(Method::PUT, &format!("/games/{id}")).json(&body);
        put.send().await.is(201);
        let stored = service.store.read_stream(&id.stream(), StreamRevision::FIRST).await;
        let stored = stored.expect("it is read").events;
        assert_eq!((&stored[0].data, &stored[0].metadata), (&data, &metadata));

        let id = GameId::generate();
        let event = NewEvent { id: uuid::Uuid::now_v7(), event_type: "GameStarted".into(), data, metadata };
        let stream = id.stream();
        let appended = service.store.append(&stream, ExpectedRevision::NoStream, vec![event]);
        appended.await.expect("a new stream");
        let [ada, grace] = GOLDEN_TOKENS.map(str::to_owned);
        let game = Protected { client: service.another_client(), id: id.to_string(), ada, grace };
        game.move_by("Alice", "D", None).await.is_problem(401, "token-required");
        game.move_by("Alice", "D", Some(&game.grace)).await.is_problem(403, "not-your-seat");
        game.move_by("Alice", "D", Some(&game.ada)).await.is(201);
        game.move_by("Bob", "D", Some(&game.grace)).await.is(201);
    }

    async fn the_tutorials_reader_gets_the_same_data_from_a_protected_game_as_from_another(service: Service) {
        let protected = Protected::start(&service).await;
        let open = service.game_with("DEDEDED").await;
        for (number, column) in ["D", "E", "D", "E", "D", "E", "D"].into_iter().enumerate() {
            let (player, token) = match number % 2 {
                0 => ("ada", &protected.ada),
                _ => ("grace", &protected.grace),
            };
            protected.move_by(player, column, Some(token)).await.is(201);
        }
        let mut games = Vec::new();
        for id in [&protected.id, &open.id] {
            let stream = id.parse::<GameId>().expect("an id").stream();
            let stored = service.store.read_stream(&stream, StreamRevision::FIRST).await;
            let events = stored.expect("it is read").events.into_iter();
            games.push(events.map(|event| (event.event_type, event.data)).collect::<Vec<_>>());
        }
        assert_eq!(games[0], games[1]);
        assert_eq!(games[0].len(), 9);
        for (event_type, data) in &games[0] {
            decode(event_type, data).expect("an event of the tutorial");
        }
    }

    async fn lists_can_be_filtered_by_protection(service: Service) {
        service.is_ready().await;
        let ada = &crate::lists::nobody_else("ada");
        let body = json!({"player_one": ada, "player_two": "grace", "protected": true});
        let protected = service.post("/games", body).await.is(201).json()["id"].clone();
        let open = service.start_game(ada, "grace").await.id;
        for (filter, ids) in [
            ("true", vec![&protected]),
            ("false", vec![&json!(open)]),
        ] {
            let path = format!("/games?player={ada}&protected={filter}");
            let list = service.get(&path).await.is(200).json();
            let listed: Vec<_> = list["games"].as_array().expect("games").iter().collect();
            assert_eq!(listed.iter().map(|game| &game["id"]).collect::<Vec<_>>(), ids);
            for game in listed {
                assert_eq!(game["protected"].to_string(), filter);
            }
        }
        service.get("/games?protected=maybe").await.is_problem(400, "invalid-query");
    }

    async fn wrong_tokens_never_win_a_race(service: Service) {
        let game = Arc::new(Protected::start(&service).await);
        let mut racers = JoinSet::new();
        for racer in 0..32 {
            let game = game.clone();
            racers.spawn(async move {
                let (token, is_right) = match racer % 4 {
                    0 => (Some(game.ada.clone()), true),
                    1 => (Some(game.grace.clone()), false),
                    2 => (Some("garbage".to_owned()), false),
                    _ => (None, false),
                };
                let column = ["A", "B", "C", "D", "E", "F", "G"][racer / 4 % 7];
                let answer = game.move_by("ada", column, token.as_deref()).await;
                (is_right, column, answer.status.as_u16())
            });
        }
        let mut made = Vec::new();
        for (is_right, column, status) in racers.join_all().await {
            match is_right {
                true if status == 201 => made.push(column),
                true => assert_eq!(status, 409),
                false => assert!([401, 403].contains(&status), "{status}"),
            }
        }
        made.dedup();
        assert_eq!(made.len(), 1, "{made:?}");
        let moves = service.get(&format!("/games/{}/moves", game.id)).await.is(200).json();
        assert_eq!(moves["moves"].as_array().map(Vec::len), Some(1));
        assert_eq!(moves["moves"][0]["column"], made[0]);
    }
}

#[tokio::test]
async fn a_key_or_a_token_that_cannot_be_a_secret_is_refused() {
    let service = Service::on_memory().await;
    for key in ["sixteen-letters!", &"a".repeat(40)] {
        let request = service
            .request(Method::POST, "/games")
            .header("idempotency-key", key);
        let answer = request.json(&names(json!({}))).send().await;
        answer.is_problem(400, "invalid-idempotency-key");
    }
    let (one, two) = (&secret(), &secret());
    for (tokens, pointer) in [
        (json!({"player_one": one}), "#/tokens/player_two"),
        (
            json!({"player_one": "short", "player_two": two}),
            "#/tokens/player_one",
        ),
        (
            json!({"player_one": one, "player_two": "a".repeat(40)}),
            "#/tokens/player_two",
        ),
        (
            json!({"player_one": one, "player_two": 7}),
            "#/tokens/player_two",
        ),
        (
            json!({"player_one": one, "player_two": one}),
            "#/tokens/player_two",
        ),
        (
            json!({"player_one": one, "player_two": two, "player_three": two}),
            "#/tokens",
        ),
        (json!([]), "#/tokens"),
    ] {
        let answer = service
            .post("/games", names(json!({"tokens": tokens})))
            .await;
        let problem = answer.is_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(one.as_str()));
    }
    for (member, value) in [
        ("protected", json!("yes")),
        ("tokens", json!({"player_one": one})),
    ] {
        let mut body = json!({"player_one": "ada", "player_two": "grace"});
        body[member] = value;
        let problem = service
            .post("/games", body)
            .await
            .is_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], format!("#/{member}"));
    }
}

#[tokio::test]
async fn the_text_form_of_a_start_shows_the_tokens() {
    let service = Service::on_memory().await;
    let request = service
        .request(Method::POST, "/games")
        .header("accept", "text/plain");
    let started = request.json(&names(json!({}))).send().await.is(201);
    let text = String::from_utf8(started.body.clone()).expect("text");
    assert!(
        text.contains("token of ada: ") && text.contains("token of grace: "),
        "{text}"
    );
    assert_eq!(started.header("cache-control"), "no-store");
}
