//! `/players` and `/players/{name}`: the leaderboard and the statistics of a player.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::lists::{nobody_else, seen};
use crate::service::{Game, Service, on_every_store};

/// 42 moves without four in a row.
const A_TIE: &str = "FBDEFECAECGGEBCGDDBBEABEGAFGBCGCACADADDFFF";

async fn resign(game: &Game<'_>, player: &str) -> String {
    let answer = game
        .service
        .post(&game.path("/resignation"), json!({"player": player}))
        .await;
    answer.is(200).header("event-position").to_owned()
}

fn path_of(name: &str) -> String {
    format!("/players/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

on_every_store! {
    async fn the_games_of_a_player_are_counted_by_outcome(service: Service) {
        let (ada, grace) = (&nobody_else("ada"), &nobody_else("grace"));
        service.start_game(ada, grace).await;
        service.start_game(grace, ada).await;
        resign(&service.start_game(ada, grace).await, grace).await;
        resign(&service.start_game(grace, ada).await, ada).await;
        let won = service.start_game(ada, grace).await;
        let tied = service.start_game(ada, grace).await;
        let mut position = String::new();
        for (game, columns) in [(&won, "ABABABA"), (&tied, A_TIE)] {
            for (player, column) in [ada, grace].iter().cycle().zip(columns.chars()) {
                let answer = game.move_by(player, &column.to_string()).await.is(201);
                position = answer.header("event-position").to_owned();
            }
        }
        let answer = seen(&service, &path_of(ada), &position).await.is(200);
        assert_eq!(answer.json(), json!({"player": ada, "played": 6, "won": 2, "lost": 1,
            "tied": 1, "in_progress": 2}));
        assert_eq!(answer.header("cache-control"), "no-cache");
        let answer = service.get(&path_of(grace)).await.is(200);
        assert_eq!(answer.json(), json!({"player": grace, "played": 6, "won": 1, "lost": 2,
            "tied": 1, "in_progress": 2}));
    }

    async fn a_player_may_have_any_name(service: Service) {
        for name in ["a/b", "a%2Fb", "ünï cödé", "+", "a+b", "100%", "?#&=", "\"'<>\\", "日本", "..."] {
            let name = &format!("{name}{}", uuid::Uuid::now_v7());
            let names = json!({"player_one": name, "player_two": "bob"});
            let answer = service.post("/games", names).await.is(201);
            let path = path_of(name);
            let answer = seen(&service, &path, answer.header("event-position")).await;
            assert_eq!(answer.is(200).json()["player"], *name);
        }
    }

    async fn a_player_without_games_is_not_found(service: Service) {
        let game = service.start_game(&nobody_else("ada"), "grace").await;
        let position = resign(&game, "grace").await;
        for name in [nobody_else("nobody"), nobody_else("no/body"), "\u{0}".to_owned()] {
            let answer = seen(&service, &path_of(&name), &position).await;
            let problem = answer.is_problem(404, "player-not-found");
            assert_eq!(problem["player"], name);
            assert_eq!(answer.header("preference-applied"), "wait=30");
            assert_ne!(answer.header("event-position"), "");
        }
        service.get("/players/%FF").await.is_problem(404, "not-found");
        service.get(&format!("{}?x=1", path_of("ada"))).await.is_problem(400, "invalid-query");
    }

    async fn an_invalid_query_is_refused_with_the_name_of_the_parameter(service: Service) {
        for (query, parameter) in [("sort=won", "sort"), ("sort=-lost", "sort"), ("limit=0", "limit"),
            ("limit=101", "limit"), ("cursor=a1", "cursor")] {
            let answer = service.get(&format!("/players?{query}")).await;
            assert_eq!(answer.is_problem(400, "invalid-query")["parameter"], parameter);
        }
    }
}

/// HTTP clients resolve `.` and `..` in a path themselves, so this request is written by hand.
#[tokio::test]
async fn dots_are_names_too() {
    let service = Service::on_memory().await;
    for name in [".", ".."] {
        let names = json!({"player_one": name, "player_two": "bob"});
        let answer = service.post("/games", names).await.is(201);
        seen(&service, "/players", answer.header("event-position"))
            .await
            .is(200);
        for path in [
            format!("/players/{name}"),
            "/players/".to_owned() + &name.replace('.', "%2E"),
        ] {
            let address = service.url.trim_start_matches("http://");
            let mut connection = TcpStream::connect(address).await.expect("a connection");
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            connection
                .write_all(request.as_bytes())
                .await
                .expect("sent");
            let mut answer = String::new();
            connection
                .read_to_string(&mut answer)
                .await
                .expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
            assert!(
                answer.contains(&format!("{{\"player\":\"{name}\",")),
                "{answer}"
            );
        }
    }
}

/// Uses its own database, because players of other tests would be in the list.
async fn the_leaderboard_is_sorted_by_wins_and_then_by_name(service: Service) {
    for (winner, loser) in [
        ("ada", "bob"),
        ("ada", "bob"),
        ("cyd", "bob"),
        ("Cyd", "eve"),
        ("eve", "dan"),
    ] {
        let game = service.start_game(winner, loser).await;
        resign(&game, loser).await;
    }
    let game = service.start_game("dan", "bob").await;
    let last = game.move_by("dan", "A").await;
    let names = |answer: Value| -> Vec<String> {
        let players = answer["players"].as_array().expect("players").clone();
        let names = players
            .iter()
            .map(|player| player["player"].as_str().expect("a name"));
        names.map(str::to_owned).collect()
    };
    let path = "/players?sort=-won";
    let best = seen(&service, path, last.header("event-position"))
        .await
        .is(200)
        .json();
    assert_eq!(
        best["players"][0],
        json!({"player": "ada", "played": 2, "won": 2, "lost": 0,
        "tied": 0, "in_progress": 0})
    );
    assert_eq!(
        names(best.clone()),
        ["ada", "Cyd", "cyd", "eve", "bob", "dan"]
    );
    assert_eq!(service.get("/players").await.is(200).json(), best);
    let two = service.get("/players?limit=2").await.is(200).json();
    assert_eq!(names(two), ["ada", "Cyd"]);
    let eager = service
        .get("/players?sort=-played&limit=4")
        .await
        .is(200)
        .json();
    assert_eq!(names(eager), ["bob", "ada", "dan", "eve"]);
}

#[tokio::test]
async fn the_leaderboard_is_sorted_on_memory() {
    the_leaderboard_is_sorted_by_wins_and_then_by_name(Service::on_memory().await).await;
}

#[tokio::test]
async fn the_leaderboard_is_sorted_on_sqlite() {
    the_leaderboard_is_sorted_by_wins_and_then_by_name(Service::on_sqlite().await).await;
}

#[tokio::test]
async fn the_leaderboard_is_sorted_on_kurrentdb() {
    the_leaderboard_is_sorted_by_wins_and_then_by_name(Service::on_kurrentdb().await).await;
}
