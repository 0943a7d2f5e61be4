//! A client on one keep-alive connection.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A tied game of 42 moves. It has no early end, so every request makes a move.
pub(crate) const TIE: &str = "AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG";

/// A connection of a client.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a TCP socket");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
        tokio::spawn(connection);
        Connection(sender)
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
        self.0.ready().await.expect("an open connection");
        let response = self.0.send_request(request).await.expect("an answer");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body");
        (status, body.to_bytes())
    }

    pub(crate) async fn post_json(&mut self, path: &str, body: String) -> Bytes {
        let request = Request::post(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::from(body))
            .expect("a request");
        let (status, body) = self.send(request).await;
        assert_eq!(status, StatusCode::CREATED);
        body
    }

    /// Starts a game between alice and bob, and returns its path.
    pub(crate) async fn start_game(&mut self) -> String {
        let names = r#"{"player_one":"alice","player_two":"bob"}"#;
        let game = self.post_json("/games", names.to_owned()).await;
        let game: Value = serde_json::from_slice(&game).expect("a game");
        format!("/games/{}", game["id"].as_str().expect("an id"))
    }
}

/// The request bodies of the moves of a whole game.
pub(crate) fn moves() -> impl Iterator<Item = String> {
    let players = ["alice", "bob"].into_iter().cycle();
    players
        .zip(TIE.chars())
        .map(|(player, column)| format!(r#"{{"player":"{player}","column":"{column}"}}"#))
}
