//! How the client handles answers that are not games. The tests send prepared answers.

use std::time::{Duration, Instant};

use connect_four::client::{
    Client, ClientError, Connection, IdempotencyKey, Move, PlayerToken, RetryPolicy,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Starts a server that sends these answers, one per request, and returns the requests.
async fn answering(answers: Vec<String>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    let requests = tokio::spawn(async move {
        let mut requests = vec![];
        for answer in answers {
            let (mut connection, _) = listener.accept().await.expect("a client");
            requests.push(request(&mut connection).await);
            let sent = connection.write_all(answer.as_bytes()).await;
            sent.expect("a client that waits");
        }
        requests
    });
    let client = Client::new(&address.to_string()).expect("a URL");
    let policy = RetryPolicy {
        first_pause: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    (client.with_retry_policy(policy), requests)
}

async fn request(connection: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut bytes = [0; 4096];
    while !request.contains("\r\n\r\n") || request.starts_with("POST") && !request.ends_with('}') {
        let length = connection.read(&mut bytes).await.expect("a request");
        assert_ne!(length, 0, "all of {request}");
        request.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
    request.to_lowercase()
}

fn answer(head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn problem(head: &str, slug: &str) -> String {
    let body = json!({"type": format!("/problems/{slug}"), "detail": "Not now."});
    answer(head, &body.to_string())
}

fn game() -> String {
    let game = json!({
        "id": Uuid::nil(), "revision": 1, "player_one": "alice", "player_two": "bob",
        "next_player": "bob", "is_finished": false, "result": null, "board": {"D": ["YELLOW"]},
        "legal_columns": [], "last_move": null, "winning_line": null,
    });
    answer("201 Created", &game.to_string())
}

const MOVE: Move<'static> = Move {
    player: "alice",
    column: "D",
    revision: 0,
};

#[tokio::test]
async fn a_move_is_sent_again_with_the_same_key_until_its_outcome_is_known() {
    let (client, requests) = answering(vec![
        problem("503 Service Unavailable\r\nretry-after: 1", "contention"),
        problem("504 Gateway Timeout", "outcome-unknown"),
        String::new(),
        game(),
    ])
    .await;
    let begin = Instant::now();
    let made = client
        .make_move(Uuid::nil(), &MOVE, &IdempotencyKey::new())
        .await;
    // The first answer has `Retry-After: 1`, so the second request is sent a second later.
    assert_eq!(made.expect("a game").revision, 1);
    assert!(begin.elapsed() >= Duration::from_secs(1), "Retry-After");
    let requests = requests.await.expect("requests");
    let keys: Vec<_> = requests
        .iter()
        .filter_map(|request| {
            request
                .lines()
                .find(|line| line.starts_with("idempotency-key: "))
        })
        .collect();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert!(requests[0].contains("if-match: \"0\""), "{requests:?}");
}

#[tokio::test]
async fn a_refused_move_is_reported_and_not_sent_again() {
    let (client, requests) = answering(vec![problem("409 Conflict", "column-full")]).await;
    let made = client
        .make_move(Uuid::nil(), &MOVE, &IdempotencyKey::new())
        .await;
    let Err(ClientError::Refused(problem)) = made else {
        panic!("a problem, not {made:?}");
    };
    assert_eq!((&problem.slug[..], problem.status), ("column-full", 409));
    assert_eq!(problem.detail, "Not now.");
    assert_eq!(requests.await.expect("requests").len(), 1);
    assert_eq!(*client.connection().borrow(), Connection::Connected);
}

#[tokio::test]
async fn a_body_that_is_not_a_game_is_an_error() {
    let (client, _requests) = answering(vec![answer("200 OK", "<html>")]).await;
    let game = client.game(Uuid::nil()).await;
    assert!(
        matches!(game, Err(ClientError::InvalidResponse(_))),
        "{game:?}"
    );
}

#[tokio::test]
async fn moves_and_resignations_carry_the_token_and_reads_do_not() {
    let (client, requests) = answering(vec![game(), game(), game(), game()]).await;
    let token: PlayerToken = "a-token-of-a-player~22".parse().expect("a token");
    let with_token = client.clone().with_token(Some(token));
    let (id, key) = (Uuid::nil(), IdempotencyKey::new());
    let moved = with_token.make_move(id, &MOVE, &key).await;
    let resigned = with_token.resign(id, "alice", 1, &key).await;
    let shown = with_token.game(id).await;
    let without = client.make_move(id, &MOVE, &key).await;
    for game in [moved, resigned, shown, without] {
        assert!(!game.expect("a game").protected);
    }
    let requests = requests.await.expect("requests");
    let carries: Vec<_> = requests
        .iter()
        .map(|request| request.contains("authorization: bearer a-token-of-a-player~22\r\n"))
        .collect();
    assert_eq!(carries, [true, true, false, false], "{requests:?}");
}

#[tokio::test]
async fn a_protected_game_is_started_with_a_secret_key_and_its_answer_has_the_tokens() {
    let game = json!({
        "id": Uuid::nil(), "revision": 0, "player_one": "alice", "player_two": "bob",
        "next_player": "alice", "is_finished": false, "result": null, "board": {},
        "legal_columns": [], "last_move": null, "winning_line": null, "protected": true,
        "tokens": {"player_one": "one-token", "player_two": "two-token"},
    });
    let game = answer("201 Created", &game.to_string());
    let (client, requests) = answering(vec![game.clone(), game]).await;
    let key = IdempotencyKey::secret().expect("a random source");
    for _ in 0..2 {
        let started = client.start_protected_game(["alice", "bob"], &key).await;
        let started = started.expect("a game");
        assert!(started.game.protected);
        assert_eq!(started.tokens.player_two.reveal(), "two-token");
        let shown = format!("{started:?} {client:?} {key:?}");
        assert!(!shown.contains("-token"), "{shown}");
    }
    let requests = requests.await.expect("requests");
    let key_of = |request: &str| {
        let line = request
            .lines()
            .find_map(|line| line.strip_prefix("idempotency-key: "));
        line.expect("a key").to_owned()
    };
    assert!(key_of(&requests[0]).len() >= 22, "a key of 128 bits");
    assert_eq!(key_of(&requests[0]), key_of(&requests[1]));
    assert!(requests[0].contains("\"protected\":true"), "{requests:?}");
}

#[test]
fn the_debug_form_of_a_client_does_not_contain_its_token() {
    let client = Client::new("localhost").expect("a URL");
    let token: PlayerToken = "a-token-of-a-player~22".parse().expect("a token");
    let shown = format!("{:?}", client.with_token(Some(token)));
    assert!(shown.contains("PlayerToken(..)"), "{shown}");
    assert!(!shown.contains("a-token"), "{shown}");
}
