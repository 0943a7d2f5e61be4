//! A running service: its games, started, moved and read over HTTP, each request sent until it
//! is answered.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Url};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use super::attempts::{Attempts, Connection, Patience};
use super::game::Game;
use super::problem::{ClientError, InvalidServer};

/// How long an answer may take; the service gives up after five seconds.
pub(super) const ANSWER: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);

/// Something that is to happen once. Keep it for as long as it is wanted: whatever is sent
/// with it again is answered as it was the first time.
#[derive(Debug, Clone)]
pub struct Intention(String);

impl Intention {
    /// A new one, unlike any other.
    pub fn new() -> Intention {
        Intention(Uuid::now_v7().to_string())
    }
}

impl Default for Intention {
    fn default() -> Self {
        Intention::new()
    }
}

/// A move, as it was typed: the service says what is wrong with it.
#[derive(Debug, Clone)]
pub struct Move<'a> {
    /// Who moves.
    pub player: &'a str,
    /// The column's letter.
    pub column: &'a str,
    /// The revision of the board that the player saw. The disc falls on no other.
    pub seen: u64,
}

/// A running service.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Ends in a slash.
    base: Url,
    patience: Patience,
    connection: watch::Sender<Connection>,
}

impl Client {
    /// The service at this URL, which may lie under a path; `http://` may be left out. Nothing
    /// is sent yet.
    pub fn new(server: &str) -> Result<Client, InvalidServer> {
        let invalid = || InvalidServer(server.to_owned());
        let text = match server.contains("://") {
            true => server.to_owned(),
            false => format!("http://{server}"),
        };
        let base = Url::parse(&format!("{}/", text.trim_end_matches('/')));
        let base = base.map_err(|_| invalid())?;
        if !["http", "https"].contains(&base.scheme()) || base.query().is_some() {
            return Err(invalid());
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .user_agent(concat!("connect-four/", env!("CARGO_PKG_VERSION")));
        // A proxy of the environment has another idea of what is local.
        let http = match base.host_str() {
            Some("localhost" | "127.0.0.1" | "[::1]") => http.no_proxy(),
            Some(_) | None => http,
        };
        let http = http.build().map_err(|_| invalid())?;
        Ok(Client {
            http,
            base,
            patience: Patience::default(),
            connection: watch::Sender::new(Connection::Untried),
        })
    }

    /// The same service, with another patience when it cannot be reached.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Client {
        Client { patience, ..self }
    }

    /// The service's URL, without a slash at its end.
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// How the service can be reached, as it changes. Clones of a client share it.
    pub fn connection(&self) -> watch::Receiver<Connection> {
        self.connection.subscribe()
    }

    /// Asks whether a service answers there at all.
    pub async fn reach(&self) -> Result<(), ClientError> {
        let mut attempts = self.attempts();
        loop {
            let sent = self.request(Method::GET, "livez").timeout(ANSWER).send();
            if attempts.judge(sent.await).await?.is_some() {
                attempts.succeeded();
                return Ok(());
            }
        }
    }

    /// Starts a game under an id that the service chooses.
    pub async fn start_game(
        &self,
        [player_one, player_two]: [&str; 2],
        intention: &Intention,
    ) -> Result<Game, ClientError> {
        let names = json!({"player_one": player_one, "player_two": player_two});
        self.answer(|| {
            self.request(Method::POST, "games")
                .header("idempotency-key", &intention.0)
                .json(&names)
        })
        .await
    }

    /// Starts a game under this id. If the same two have started it before, that is the game.
    pub async fn put_game(
        &self,
        id: Uuid,
        [player_one, player_two]: [&str; 2],
    ) -> Result<Game, ClientError> {
        let names = json!({"player_one": player_one, "player_two": player_two});
        self.answer(|| {
            self.request(Method::PUT, &format!("games/{id}"))
                .json(&names)
        })
        .await
    }

    /// The game as it is now.
    pub async fn game(&self, id: Uuid) -> Result<Game, ClientError> {
        self.answer(|| self.request(Method::GET, &format!("games/{id}")))
            .await
    }

    /// The game as it was at this revision, which counts its events from 0.
    pub async fn game_at(&self, id: Uuid, revision: u64) -> Result<Game, ClientError> {
        let path = format!("games/{id}?revision={revision}");
        self.answer(|| self.request(Method::GET, &path)).await
    }

    /// Makes a move; the answer is the game after it.
    pub async fn make_move(
        &self,
        id: Uuid,
        wanted: &Move<'_>,
        intention: &Intention,
    ) -> Result<Game, ClientError> {
        let body = json!({"player": wanted.player, "column": wanted.column});
        self.answer(|| {
            self.request(Method::POST, &format!("games/{id}/moves"))
                .header("idempotency-key", &intention.0)
                .header("if-match", format!("\"{}\"", wanted.seen))
                .json(&body)
        })
        .await
    }

    /// Gives the game up for this player, who saw it at this revision; the answer is the game,
    /// which the opponent has won.
    pub async fn resign(
        &self,
        id: Uuid,
        player: &str,
        seen: u64,
        intention: &Intention,
    ) -> Result<Game, ClientError> {
        let body = json!({"player": player});
        self.answer(|| {
            self.request(Method::POST, &format!("games/{id}/resignation"))
                .header("idempotency-key", &intention.0)
                .header("if-match", format!("\"{seen}\""))
                .json(&body)
        })
        .await
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // Paths are made of words, UUIDs and numbers.
        let url = format!("{}{path}", self.base);
        self.http.request(method, url)
    }

    pub(super) fn attempts(&self) -> Attempts<'_> {
        Attempts::new(&self.connection, self.patience)
    }

    /// Sends the request until it is answered.
    async fn answer<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, ClientError> {
        let mut attempts = self.attempts();
        loop {
            let sent = request().timeout(ANSWER).send().await;
            let answer = match attempts.judge(sent).await? {
                Some(answer) => answer,
                None => continue,
            };
            match answer.bytes().await {
                Ok(body) => {
                    attempts.succeeded();
                    return serde_json::from_slice(&body).map_err(ClientError::Unintelligible);
                }
                Err(error) => attempts.lost(error).await?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_url() {
        for (text, url) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("localhost:8080", "http://localhost:8080"),
            ("https://example.org/four/", "https://example.org/four"),
        ] {
            assert_eq!(Client::new(text).expect("a URL").server(), url);
        }
        for text in ["", "ftp://example.org", "http://", "http://host?query"] {
            assert!(Client::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn no_two_intentions_share_a_key() {
        assert_ne!(Intention::new().0, Intention::new().0);
    }
}
