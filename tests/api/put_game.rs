//! `PUT /games/{id}`: starting a game with an id that the client chose.

use reqwest::Method;
use serde_json::json;

use crate::service::{Answer, Service, on_every_store};

async fn put(
    service: &Service,
    id: &str,
    one: &str,
    two: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let request = service.request(Method::PUT, &format!("/games/{id}"));
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    let names = json!({"player_one": one, "player_two": two});
    request.json(&names).send().await
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

on_every_store! {
    async fn a_client_may_choose_the_id(service: Service) {
        let id = new_id();
        let answer = put(&service, &id, "ada", "grace", &[]).await.is(201);
        assert_eq!(answer.json()["id"], id);
        let url = format!("/games/{id}");
        assert_eq!(answer.header("location"), url);
        assert_eq!(answer.header("content-location"), url);
        assert_eq!(answer.header("etag"), "\"0\"");
        let shown = service.get(&url).await.is(200);
        assert_eq!(shown.body, answer.body);
    }

    async fn putting_the_same_game_again_shows_its_current_state(service: Service) {
        let game = service.game_with("DC").await;
        let answer = put(&service, &game.id, "ada", "grace", &[]).await.is(200);
        assert_eq!(answer.body, game.get("").await.body);
        assert_eq!(answer.header("etag"), "\"2\"");
        assert_eq!(answer.header("location"), "");
        assert_eq!(answer.header("content-location"), game.path(""));
        let replica = service.replica().await;
        put(&replica, &game.id, "ada", "grace", &[]).await.is(200);
        assert_eq!(game.event_types().await.len(), 3);
    }

    async fn an_id_with_other_players_is_refused(service: Service) {
        let game = service.game_with("DC").await;
        for (one, two) in [("grace", "ada"), ("ada", "alan")] {
            let answer = put(&service, &game.id, one, two, &[]).await;
            let problem = answer.is_problem(409, "game-already-started");
            assert_eq!(problem["player_one"], "ada");
            assert_eq!(problem["player_two"], "grace");
            assert_eq!(answer.header("etag"), "\"2\"");
        }
    }

    async fn a_put_with_if_none_match_star_fails_if_the_game_exists(service: Service) {
        let id = new_id();
        let new = [("if-none-match", "*")];
        put(&service, &id, "ada", "grace", &new).await.is(201);
        for (one, two) in [("ada", "grace"), ("ada", "alan")] {
            let answer = put(&service, &id, one, two, &new).await;
            let problem = answer.is_problem(412, "revision-mismatch");
            assert_eq!(problem["expected"], json!(null));
            assert_eq!(problem["current_revision"], 0);
            assert_eq!(problem["missed_events"][0]["type"], "GameStarted");
            assert_eq!(answer.header("etag"), "\"0\"");
        }
    }

    async fn a_put_with_if_match_does_not_start_a_new_game(service: Service) {
        let id = new_id();
        for tags in ["*", "\"0\""] {
            let answer = put(&service, &id, "ada", "grace", &[("if-match", tags)]).await;
            let problem = answer.is_problem(412, "revision-mismatch");
            assert_eq!(problem["current_revision"], json!(null));
            assert_eq!(problem["missed_events"], json!([]));
            assert_eq!(answer.header("etag"), "");
        }
        service.get(&format!("/games/{id}")).await.is(404);
        put(&service, &id, "ada", "grace", &[]).await.is(201);
        put(&service, &id, "ada", "grace", &[("if-match", "\"0\"")]).await.is(200);
    }

    async fn an_invalid_id_and_invalid_names_are_refused(service: Service) {
        put(&service, "mine", "ada", "grace", &[]).await.is_problem(404, "game-not-found");
        let id = new_id();
        put(&service, &id, "ada", "ada", &[]).await.is_problem(422, "players-not-distinct");
        put(&service, &id, "ada", "", &[]).await.is_problem(422, "invalid-request");
    }

    async fn of_many_simultaneous_starts_only_one_pair_of_players_succeeds(service: Service) {
        let id = new_id();
        let pairs = [("ada", "grace"), ("alan", "kurt"), ("grace", "ada")];
        let starts = pairs.iter().cycle().take(24).map(|(one, two)| put(&service, &id, one, two, &[]));
        let answers = futures_util::future::join_all(starts).await;
        let shown = service.get(&format!("/games/{id}")).await.is(200);
        for (answer, (one, two)) in answers.iter().zip(pairs.iter().cycle()) {
            if shown.json()["player_one"] == *one && shown.json()["player_two"] == *two {
                assert!(matches!(answer.status.as_u16(), 200 | 201), "{answer:?}");
                assert_eq!(answer.body, shown.body);
            } else {
                answer.is_problem(409, "game-already-started");
            }
        }
    }
}
