//! `GET /games`: the content and order of the list, and its pages.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Answer, Client, Game, Service, on_every_store};

/// A unique name, because the database may be shared.
pub(crate) fn nobody_else(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::now_v7())
}

/// The list, once it includes the event at this position.
pub(crate) async fn seen(client: &Client, path: &str, position: &str) -> Answer {
    let request = client.request(Method::GET, path);
    let request = request.header("event-position", position);
    request.header("prefer", "wait=30").send().await
}

/// Makes moves of these players in turn, and returns the position of the last move.
async fn play(game: &Game<'_>, players: [&str; 2], columns: &str) -> String {
    let mut position = String::new();
    for (player, column) in players.iter().cycle().zip(columns.chars()) {
        let answer = game.move_by(player, &column.to_string()).await.is(201);
        position = answer.header("event-position").to_owned();
    }
    position
}

fn ids(page: &Value) -> Vec<&str> {
    let games = page["games"].as_array().expect("games");
    games
        .iter()
        .filter_map(|game| game["id"].as_str())
        .collect()
}

/// Every game of the query, page by page.
async fn all_pages(client: &Client, query: &str) -> Vec<Value> {
    let mut games = Vec::new();
    let mut path = format!("/games?{query}");
    loop {
        let answer = client.get(&path).await.is(200);
        let page = answer.json();
        games.extend(page["games"].as_array().expect("games").iter().cloned());
        match page["next"].as_str() {
            Some(next) => {
                assert!(!next.contains("?&"), "{next}");
                path = next.to_owned();
            }
            None => return games,
        }
        assert_eq!(answer.header("link"), format!("<{path}>; rel=\"next\""));
    }
}

on_every_store! {
    async fn the_list_shows_the_current_state_of_a_game(service: Service) {
        let (ada, grace) = (&nobody_else("ada"), &nobody_else("grace"));
        let game = service.start_game(ada, grace).await;
        let position = play(&game, [ada, grace], "ABABAB").await;
        let path = format!("/games?player={ada}");
        let answer = seen(&service, &path, &position).await.is(200);
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("link"), "");
        let page = answer.json();
        assert_eq!(page["next"], Value::Null);
        let events = game.events().await;
        assert_eq!(page["games"], json!([{
            "id": game.id, "revision": 6, "player_one": ada, "player_two": grace,
            "next_player": ada, "is_finished": false, "result": null,
            "started_at": events[0]["recorded_at"], "changed_at": events[6]["recorded_at"],
            "protected": false,
        }]));
        let position = play(&game, [ada, grace], "A").await;
        let page = seen(&service, &path, &position).await.is(200).json();
        let events = game.events().await;
        assert_eq!(page["games"], json!([{
            "id": game.id, "revision": 8, "player_one": ada, "player_two": grace,
            "next_player": null, "is_finished": true, "result": "PLAYER_ONE_WON",
            "started_at": events[0]["recorded_at"], "changed_at": events[8]["recorded_at"],
            "protected": false,
        }]));
    }

    async fn games_can_be_filtered_by_status_player_and_result(service: Service) {
        let (ada, grace, alan) = (&nobody_else("ada"), &nobody_else("grace"), &nobody_else("alan"));
        let running = service.start_game(ada, grace).await;
        let lost = service.start_game(ada, grace).await;
        lost.service.post(&lost.path("/resignation"), json!({"player": ada})).await.is(200);
        let other = service.start_game(alan, ada).await;
        let last = other.service.post(&other.path("/resignation"), json!({"player": ada})).await;
        seen(&service, "/games", last.is(200).header("event-position")).await.is(200);
        for (query, expected) in [
            (format!("player={ada}"), &[&other, &lost, &running][..]),
            (format!("player={grace}"), &[&lost, &running]),
            (format!("player={alan}&limit=1"), &[&other]),
            (format!("player={ada}&status=finished"), &[&other, &lost]),
            (format!("status=in_progress&player={ada}"), &[&running]),
            (format!("player={ada}&result=PLAYER_ONE_WON"), &[&other]),
            (format!("player={ada}&result=PLAYER_TWO_WON&status=finished"), &[&lost]),
            (format!("player={ada}&result=TIED"), &[]),
            (format!("player={}", nobody_else("nobody")), &[]),
        ] {
            let page = service.get(&format!("/games?{query}")).await.is(200).json();
            let expected: Vec<_> = expected.iter().map(|game| game.id.as_str()).collect();
            assert_eq!(ids(&page), expected, "{query}");
        }
    }

    async fn the_next_page_has_the_same_filters(service: Service) {
        let (ada, grace) = (&format!("{} &=%+/ü", nobody_else("ada")), &nobody_else("grace"));
        let mut started = Vec::new();
        let mut position = String::new();
        for _ in 0..7 {
            let names = json!({"player_one": ada, "player_two": grace});
            let answer = service.post("/games", names).await.is(201);
            position = answer.header("event-position").to_owned();
            started.push(answer.json()["id"].as_str().expect("an id").to_owned());
        }
        seen(&service, "/games", &position).await.is(200);
        started.reverse();
        let player: String = form_urlencoded::byte_serialize(ada.as_bytes()).collect();
        for limit in [1, 2, 3, 7, 100] {
            let query = format!("status=in_progress&player={player}&limit={limit}");
            let games = all_pages(&service, &query).await;
            let listed: Vec<_> = games.iter().map(|game| game["id"].as_str().expect("an id")).collect();
            assert_eq!(listed, started, "{limit}");
        }
    }

    async fn pages_contain_every_game_once_while_games_are_started_and_played(service: Service) {
        let (ada, grace) = (&nobody_else("ada"), &nobody_else("grace"));
        let mut before = BTreeSet::new();
        let mut position = String::new();
        for _ in 0..30 {
            let game = service.start_game(ada, grace).await;
            position = play(&game, [ada, grace], "A").await;
            before.insert(game.id);
        }
        seen(&service, "/games", &position).await.is(200);
        let busy = async {
            for id in &before {
                let game = service.game(id);
                play(&game, [grace, ada], "BA").await;
                service.start_game(ada, grace).await;
            }
        };
        let read = async {
            for limit in [1, 3, 7, 13] {
                let games = all_pages(&service, &format!("player={ada}&limit={limit}")).await;
                let listed: Vec<_> = games.iter().map(|game| game["id"].to_string()).collect();
                let different: BTreeSet<_> = listed.iter().collect();
                assert_eq!(different.len(), listed.len(), "{limit}");
                for id in &before {
                    assert!(different.contains(&json!(id).to_string()), "{limit}: {id}");
                }
            }
        };
        tokio::join!(busy, read);
    }

    async fn an_invalid_query_is_refused_with_the_name_of_the_parameter(service: Service) {
        for (query, parameter) in [
            ("status=over", "status"), ("status=", "status"), ("result=tied", "result"),
            ("limit=0", "limit"), ("limit=101", "limit"), ("limit=ten", "limit"),
            ("cursor=", "cursor"), ("cursor=7", "cursor"), ("cursor=b7", "cursor"),
            ("cursor=a07", "cursor"), ("cursor=a+7", "cursor"), ("sort=-won", "sort"),
            ("player=a&player=b", "player"), ("offset=3", "offset"),
            ("status=in_progress&result=TIED", "result"),
        ] {
            let answer = service.get(&format!("/games?{query}")).await;
            let problem = answer.is_problem(400, "invalid-query");
            assert_eq!(problem["parameter"], parameter, "{query}");
        }
        service.is_ready().await;
        service.get("/games?cursor=affffffffffffffff").await.is(200);
    }
}

#[tokio::test]
async fn head_of_a_list_is_answered_and_other_media_types_are_refused() {
    let service = Service::on_memory().await;
    service.is_ready().await;
    for path in ["/games", "/players", "/events"] {
        let head = service.request(Method::HEAD, path).send().await.is(200);
        assert_eq!(head.header("content-type"), "application/json");
        assert!(head.body.is_empty());
        let request = service
            .request(Method::GET, path)
            .header("accept", "text/html");
        request.send().await.is_problem(406, "not-acceptable");
    }
    let empty = service.get("/games").await.is(200);
    assert_eq!(empty.json(), json!({"games": [], "next": null}));
    assert_eq!(empty.header("event-position"), "");
}
