//! Every route, with every kind of token, for a protected game and for another one.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::openapi::DOCUMENT;
use crate::service::{Answer, Service, on_every_store};

/// The routes that change something. All others only read.
const WRITING: [(&str, &str); 4] = [
    ("post", "/games"),
    ("put", "/games/{id}"),
    ("post", "/games/{id}/moves"),
    ("post", "/games/{id}/resignation"),
];

/// A game between ada and grace, with the tokens that a client may send.
struct Subject {
    id: String,
    start: Value,
    /// No token, garbage, a token of another game, the token of grace, the token of ada.
    tokens: [Option<String>; 5],
}

fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

async fn send(
    service: &Service,
    method: &str,
    path: &str,
    body: Option<&Value>,
    token: Option<&str>,
) -> Answer {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    let mut request = service.request(method, path);
    if let Some(body) = body {
        request = request.json(body);
    }
    if let Some(token) = token {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    request.send().await
}

impl Subject {
    async fn start(service: &Service, is_protected: bool) -> Subject {
        let (ada, grace, other) = (secret(), secret(), secret());
        let mut start = json!({"player_one": "ada", "player_two": "grace"});
        if is_protected {
            start["protected"] = json!(true);
            start["tokens"] = json!({"player_one": ada, "player_two": grace});
        }
        let id = uuid::Uuid::now_v7().to_string();
        let path = format!("/games/{id}");
        send(service, "put", &path, Some(&start), None)
            .await
            .is(201);
        let mut another = json!({"player_one": "ada", "player_two": "grace", "protected": true});
        another["tokens"] = json!({"player_one": other, "player_two": secret()});
        let path = format!("/games/{}", uuid::Uuid::now_v7());
        send(service, "put", &path, Some(&another), None)
            .await
            .is(201);
        let garbage = "garbage".to_owned();
        let tokens = [None, Some(garbage), Some(other), Some(grace), Some(ada)];
        Subject { id, start, tokens }
    }

    fn path(&self, template: &str) -> String {
        template
            .replace("{id}", &self.id)
            .replace("{number}", "1")
            .replace("{name}", "ada")
            .replace("{slug}", "token-required")
            .replace("{version}/{file}", "0/game.js")
    }
}

/// The routes of the description, as methods and path templates.
fn routes() -> BTreeSet<(&'static str, &'static str)> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let routes = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().expect("operations");
        let methods = operations.keys().map(String::as_str);
        let methods =
            methods.filter(|method| ["get", "post", "put", "patch", "delete"].contains(method));
        methods.map(move |method| (method, path.as_str()))
    });
    routes.collect()
}

#[test]
fn the_routes_that_change_something_are_known_here() {
    let writing = routes().into_iter().filter(|(method, _)| *method != "get");
    assert_eq!(writing.collect::<BTreeSet<_>>(), BTreeSet::from(WRITING));
}

on_every_store! {
    async fn everyone_reads_with_any_token_or_none(service: Service) {
        service.is_ready().await;
        for is_protected in [true, false] {
            let subject = Subject::start(&service, is_protected).await;
            let ada = subject.tokens[4].as_deref();
            let body = json!({"player": "ada", "column": "D"});
            send(&service, "post", &subject.path("/games/{id}/moves"), Some(&body), ada).await.is(201);
            for (method, template) in routes().into_iter().filter(|(method, _)| *method == "get") {
                let path = subject.path(template);
                let expected = send(&service, method, &path, None, None).await;
                if template != "/assets/{version}/{file}" {
                    assert_eq!(expected.status, 200, "{path}");
                }
                for token in &subject.tokens[1..] {
                    let answer = send(&service, method, &path, None, token.as_deref()).await;
                    assert_eq!(answer.status, expected.status, "{path}");
                    if template.starts_with("/games/") {
                        assert_eq!(answer.body, expected.body, "{path}");
                    }
                }
            }
        }
    }

    async fn only_the_right_token_moves_and_resigns_in_a_protected_game_and_any_in_another(service: Service) {
        let refusals = [
            (401, "token-required"),
            (401, "invalid-token"),
            (401, "invalid-token"),
            (403, "not-your-seat"),
        ];
        for (template, body) in [
            ("/games/{id}/moves", json!({"player": "ada", "column": "D"})),
            ("/games/{id}/resignation", json!({"player": "ada"})),
        ] {
            for kind in 0..5 {
                let protected = Subject::start(&service, true).await;
                let token = protected.tokens[kind].as_deref();
                let answer = send(&service, "post", &protected.path(template), Some(&body), token).await;
                let shown = send(&service, "get", &protected.path("/games/{id}"), None, None).await.json();
                match refusals.get(kind) {
                    Some((status, slug)) => {
                        answer.is_problem(*status, slug);
                        assert_eq!(shown["revision"], 0);
                    }
                    None => {
                        assert!(answer.status.is_success());
                        assert_eq!(shown["revision"], 1);
                    }
                }
                let open = Subject::start(&service, false).await;
                let token = open.tokens[kind].as_deref();
                let answer = send(&service, "post", &open.path(template), Some(&body), token).await;
                assert!(answer.status.is_success());
            }
        }
    }

    async fn a_start_is_the_same_with_any_token_or_none(service: Service) {
        for is_protected in [true, false] {
            let subject = Subject::start(&service, is_protected).await;
            let path = &subject.path("/games/{id}");
            let other = json!({"player_one": "ada", "player_two": "grace", "protected": !is_protected});
            let mut other = other;
            if !is_protected {
                other["tokens"] = json!({"player_one": secret(), "player_two": secret()});
            }
            for token in subject.tokens.iter().map(Option::as_deref) {
                let started = send(&service, "post", "/games", Some(&subject.start), token).await;
                assert_eq!(started.is(201).json()["protected"], is_protected);
                send(&service, "put", path, Some(&subject.start), token).await.is(200);
                let refused = send(&service, "put", path, Some(&other), token).await;
                refused.is_problem(409, "game-already-started");
            }
        }
    }
}
