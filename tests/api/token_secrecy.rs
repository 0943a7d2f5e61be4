//! Tokens are shown once, to the client that starts the game, and are nowhere else: not in a log at its most
//! detailed level, a metric, an event, a problem or a file.

use std::fs;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::double::Double;
use crate::idempotency_keys::assert_same_answer;
use crate::program::Program;
use crate::service::{Answer, Client};

fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A whole protected game, and what was seen of it.
struct Played {
    id: String,
    /// The key of the start, and every token that was sent.
    secrets: Vec<String>,
    /// Everything that the service answered, except to the start.
    seen: String,
}

impl Played {
    fn saw(&mut self, answer: Answer) -> Answer {
        self.seen += &format!("{answer:?}\n{}\n", String::from_utf8_lossy(&answer.body));
        answer
    }

    async fn send(&mut self, client: &Client, rest: &str, body: Value, token: &str) -> Answer {
        let request = client.request(Method::POST, &format!("/games/{}{rest}", self.id));
        let request = request.header("authorization", &format!("Bearer {token}"));
        let answer = request.json(&body).send().await;
        self.saw(answer)
    }

    #[track_caller]
    fn is_clean(&self, what: &str, text: &str) {
        for secret in &self.secrets {
            assert!(!text.contains(secret.as_str()), "{secret} is in {what}");
        }
    }
}

fn protected() -> Value {
    json!({"player_one": "ada", "player_two": "grace", "protected": true})
}

async fn keyed_start(client: &Client, key: &str) -> Answer {
    let request = client
        .request(Method::POST, "/games")
        .header("idempotency-key", key);
    request.json(&protected()).send().await.is(201)
}

/// HTTP/2 has another parser, which logs its frames.
async fn move_over_http_2(
    client: &Client,
    id: &str,
    player: &str,
    column: &str,
    token: &str,
) -> u16 {
    let address = client.url.trim_start_matches("http://");
    let stream = TcpStream::connect(address).await.expect("the service");
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let body = json!({"player": player, "column": column}).to_string();
    let request = hyper::Request::post(format!("{}/games/{id}/moves", client.url))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Full::new(Bytes::from(body)));
    let answer = sender.send_request(request.expect("a request")).await;
    let status = answer.expect("an answer").status().as_u16();
    drop(sender);
    connection.await.expect("no panic").expect("an orderly end");
    status
}

/// Plays a game to its end, with refused requests in between, and reads all that can be read.
async fn play(client: &Client) -> Played {
    client.is_ready().await;
    let (key, garbage) = (secret(), secret());
    let started = keyed_start(client, &key).await;
    let game = started.json();
    let token = |player: &str| game["tokens"][player].as_str().expect("a token").to_owned();
    let (ada, grace) = (token("player_one"), token("player_two"));
    let chosen = [secret(), secret()];
    let mut played = Played {
        id: game["id"].as_str().expect("an id").to_owned(),
        secrets: vec![key.clone(), garbage.clone(), ada.clone(), grace.clone()],
        seen: String::new(),
    };
    played.secrets.extend(chosen.clone());
    assert_same_answer(&keyed_start(client, &key).await, &started);

    let move_by = |player: &str, column: &str| json!({"player": player, "column": column});
    for token in [&garbage, &grace] {
        let refused = played
            .send(client, "/moves", move_by("ada", "D"), token)
            .await;
        assert!([401, 403].contains(&refused.status.as_u16()));
    }
    for (player, column, token) in [
        ("ada", "D", &ada),
        ("grace", "E", &grace),
        ("ada", "D", &ada),
    ] {
        played
            .send(client, "/moves", move_by(player, column), token)
            .await
            .is(201);
    }
    let status = move_over_http_2(client, &played.id, "grace", "E", &grace).await;
    assert_eq!(status, 201);
    for body in [move_by("grace", "D"), move_by("ada", "H"), json!([])] {
        let refused = played.send(client, "/moves", body, &ada).await;
        assert!(refused.status.is_client_error());
    }
    let body = json!({"player": "ada"});
    played
        .send(client, "/resignation", body, &ada)
        .await
        .is(200);

    // Another game, whose tokens the client chooses, and problems about them.
    let mut body = protected();
    body["tokens"] = json!({"player_one": chosen[0], "player_two": chosen[1]});
    let id = uuid::Uuid::now_v7();
    let put = |body: &Value| {
        client
            .request(Method::PUT, &format!("/games/{id}"))
            .json(body)
            .send()
    };
    put(&body).await.is(201);
    body["tokens"]["player_two"] = json!(chosen[0]);
    let refused = put(&body).await.is(422);
    played.saw(refused);
    body["tokens"]["player_two"] = json!(format!("{} ", chosen[1]));
    let refused = put(&body).await.is(422);
    played.saw(refused);

    for path in [
        format!("/games/{}", played.id),
        format!("/games/{}/moves", played.id),
        format!("/games/{}/events?limit=100", played.id),
        format!("/games/{id}/events?limit=100"),
        "/events?limit=100".to_owned(),
        "/games".to_owned(),
        "/metrics".to_owned(),
    ] {
        let answer = client.get(&path).await.is(200);
        played.saw(answer);
    }
    played
}

/// Everything in the files of this folder.
fn files(folder: &TempDir) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let content = fs::read(&path).expect("a file");
        all += &String::from_utf8_lossy(&content);
    }
    all
}

/// The whole log, after the program was stopped.
async fn log(mut program: Program) -> String {
    program.signal("TERM").await;
    assert!(program.exit().await.success());
    program.first_lines.clone() + &program.rest_of_log().await
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_in_no_log_answer_or_file_on_sqlite() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let arguments = ["--event-store", &url, "--log", "trace"];
    let program = Program::start(&arguments).await;
    let played = play(&program.client).await;
    // With the files as they are while the program runs, and after it stopped.
    played.is_clean("a file", &files(&folder));
    let log = log(program).await;
    assert!(
        log.contains("TRACE") && log.contains(&played.id),
        "a detailed log"
    );
    played.is_clean("the log", &log);
    played.is_clean("an answer", &played.seen);
    let files = files(&folder);
    assert!(files.contains(&played.id) && files.contains("token_sha256"));
    played.is_clean("a file", &files);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_in_no_log_answer_or_event_on_kurrentdb() {
    let double = Double::start().await;
    let url = double.connection_string();
    let program = Program::start(&["--event-store", &url, "--log", "trace"]).await;
    let played = play(&program.client).await;
    let log = log(program).await;
    assert!(
        log.contains("TRACE") && log.contains(&played.id),
        "a detailed log"
    );
    played.is_clean("the log", &log);
    played.is_clean("an answer", &played.seen);
    let stored = double.stored(&format!("game-{}", played.id));
    let stored: String = stored
        .iter()
        .flat_map(|event| [&event.data, &event.metadata])
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    assert!(stored.contains("token_sha256"), "{stored}");
    played.is_clean("an event", &stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_the_same_key_after_a_restart_gets_the_same_bytes() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let key = secret();
    let program = Program::start(&["--event-store", &url]).await;
    let first = keyed_start(&program.client, &key).await;
    program.kill().await;
    let program = Program::start(&["--event-store", &url]).await;
    let repeated = keyed_start(&program.client, &key).await;
    assert_same_answer(&repeated, &first);
    assert_eq!(repeated.header("idempotent-replayed"), "true");
}
