//! The requests to the service. Each one is sent until it is answered.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::game::Game;
use super::problem::{ClientError, InvalidServer};
use super::redirect;
use super::retry::{Connection, Retries, RetryPolicy};
use super::token::{PlayerToken, PlayerTokens, secret};

/// Longer than the five seconds after which the service itself gives up.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes a request safe to repeat: a request that is sent again with the same key is carried out
/// once and gets the same answer. Its `Debug` form does not contain it, because the key of a protected
/// game is a secret.
#[derive(Clone)]
pub struct IdempotencyKey(String);

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

impl IdempotencyKey {
    /// A new, unique key.
    pub fn new() -> IdempotencyKey {
        IdempotencyKey(Uuid::now_v7().to_string())
    }

    /// A new key that nobody can guess, for [`Client::start_protected_game`].
    ///
    /// # Errors
    /// The random source of the operating system failed.
    pub fn secret() -> Result<IdempotencyKey, getrandom::Error> {
        secret().map(IdempotencyKey)
    }
}

impl Default for IdempotencyKey {
    fn default() -> Self {
        IdempotencyKey::new()
    }
}

/// A move as the user typed it. The service validates it.
#[derive(Debug, Clone)]
pub struct Move<'a> {
    /// The player's name.
    pub player: &'a str,
    /// The column's letter.
    pub column: &'a str,
    /// The revision of the game that the player saw. The move is refused at any other revision.
    pub revision: u64,
}

/// A protected game that this client started.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StartedGame {
    /// The game.
    #[serde(flatten)]
    pub game: Game,
    /// The tokens of its players, which the service shows to nobody else.
    pub tokens: PlayerTokens,
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Ends with a slash.
    base: Url,
    retry_policy: RetryPolicy,
    connection: watch::Sender<Connection>,
    token: Option<PlayerToken>,
}

impl Client {
    /// A client of the service at this URL, which may have a path. `http://` is optional. Sends
    /// nothing yet.
    pub fn new(server: &str) -> Result<Client, InvalidServer> {
        let invalid = || InvalidServer(server.to_owned());
        let text = match server.contains("://") {
            true => server.to_owned(),
            false => format!("http://{server}"),
        };
        let base = Url::parse(&format!("{}/", text.trim_end_matches('/')));
        let base = base.map_err(|_| invalid())?;
        let has_more_than_a_path = base.query().is_some() || base.fragment().is_some();
        if !["http", "https"].contains(&base.scheme()) || has_more_than_a_path {
            return Err(invalid());
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::policy())
            .user_agent(concat!("connect-four/", env!("CARGO_PKG_VERSION")));
        // A proxy from the environment would resolve these names on its own host.
        let http = match base.host_str() {
            Some("localhost" | "127.0.0.1" | "[::1]") => http.no_proxy(),
            Some(_) | None => http,
        };
        let http = http.build().map_err(|_| invalid())?;
        Ok(Client {
            http,
            base,
            retry_policy: RetryPolicy::default(),
            connection: watch::Sender::new(Connection::Untried),
            token: None,
        })
    }

    /// The same client with another retry policy.
    #[must_use]
    pub fn with_retry_policy(self, retry_policy: RetryPolicy) -> Client {
        Client {
            retry_policy,
            ..self
        }
    }

    /// The same client with the token that it sends with moves and resignations, or with none.
    #[must_use]
    pub fn with_token(self, token: Option<PlayerToken>) -> Client {
        Client { token, ..self }
    }

    /// The URL of the service, without a trailing slash.
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The state of the connection and its changes. Clones of a client share it.
    pub fn connection(&self) -> watch::Receiver<Connection> {
        self.connection.subscribe()
    }

    /// Checks that the service answers.
    pub async fn ping(&self) -> Result<(), ClientError> {
        let mut retries = self.retries();
        loop {
            let sent = self
                .request(Method::GET, "livez")
                .timeout(ANSWER_TIMEOUT)
                .send();
            if retries.check(sent.await).await?.is_some() {
                retries.succeeded();
                return Ok(());
            }
        }
    }

    /// Starts a game; the service chooses its id.
    pub async fn start_game(
        &self,
        [player_one, player_two]: [&str; 2],
        key: &IdempotencyKey,
    ) -> Result<Game, ClientError> {
        let body = json!({"player_one": player_one, "player_two": player_two});
        self.send_start(&body, key).await
    }

    /// Starts a game with this id. Returns the existing game if the same players have started it.
    pub async fn put_game(
        &self,
        id: Uuid,
        [player_one, player_two]: [&str; 2],
    ) -> Result<Game, ClientError> {
        let body = json!({"player_one": player_one, "player_two": player_two});
        self.send_put(&body, id).await
    }

    /// Starts a protected game; the service derives its id and its tokens from the key. So the key is a
    /// secret: [`IdempotencyKey::secret`]. The same request with the same key gets the same answer.
    pub async fn start_protected_game(
        &self,
        [player_one, player_two]: [&str; 2],
        key: &IdempotencyKey,
    ) -> Result<StartedGame, ClientError> {
        let body = json!({"player_one": player_one, "player_two": player_two, "protected": true});
        self.send_start(&body, key).await
    }

    /// Starts a protected game with this id and these tokens. Returns the existing game if the same
    /// players have started it with the same tokens.
    pub async fn put_protected_game(
        &self,
        id: Uuid,
        [player_one, player_two]: [&str; 2],
        tokens: &PlayerTokens,
    ) -> Result<Game, ClientError> {
        let body = json!({
            "player_one": player_one, "player_two": player_two, "protected": true, "tokens": tokens,
        });
        self.send_put(&body, id).await
    }

    async fn send_start<T: DeserializeOwned>(
        &self,
        body: &Value,
        key: &IdempotencyKey,
    ) -> Result<T, ClientError> {
        self.send(|| {
            self.request(Method::POST, "games")
                .header("idempotency-key", &key.0)
                .json(body)
        })
        .await
    }

    async fn send_put(&self, body: &Value, id: Uuid) -> Result<Game, ClientError> {
        self.send(|| self.request(Method::PUT, &format!("games/{id}")).json(body))
            .await
    }

    /// The current game.
    pub async fn game(&self, id: Uuid) -> Result<Game, ClientError> {
        self.send(|| self.request(Method::GET, &format!("games/{id}")))
            .await
    }

    /// The game as it was at this revision. The first event has revision 0.
    pub async fn game_at(&self, id: Uuid, revision: u64) -> Result<Game, ClientError> {
        let path = format!("games/{id}?revision={revision}");
        self.send(|| self.request(Method::GET, &path)).await
    }

    /// Makes a move and returns the game after it.
    pub async fn make_move(
        &self,
        id: Uuid,
        player_move: &Move<'_>,
        key: &IdempotencyKey,
    ) -> Result<Game, ClientError> {
        let body = json!({"player": player_move.player, "column": player_move.column});
        self.send(|| {
            self.player_request(&format!("games/{id}/moves"))
                .header("idempotency-key", &key.0)
                .header("if-match", format!("\"{}\"", player_move.revision))
                .json(&body)
        })
        .await
    }

    /// Resigns for this player, if the game is at this revision. Returns the game, which the
    /// opponent has won.
    pub async fn resign(
        &self,
        id: Uuid,
        player: &str,
        revision: u64,
        key: &IdempotencyKey,
    ) -> Result<Game, ClientError> {
        let body = json!({"player": player});
        self.send(|| {
            self.player_request(&format!("games/{id}/resignation"))
                .header("idempotency-key", &key.0)
                .header("if-match", format!("\"{revision}\""))
                .json(&body)
        })
        .await
    }

    /// A command of a player, with the player's token.
    fn player_request(&self, path: &str) -> RequestBuilder {
        let request = self.request(Method::POST, path);
        match &self.token {
            // The field is marked as sensitive: its `Debug` form does not contain the token.
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // A path contains only words, UUIDs and numbers, which need no escaping.
        let url = format!("{}{path}", self.base);
        self.http.request(method, url)
    }

    pub(super) fn retries(&self) -> Retries<'_> {
        Retries::new(&self.base, &self.connection, self.retry_policy)
    }

    /// Sends the request until it is answered.
    async fn send<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, ClientError> {
        let mut retries = self.retries();
        loop {
            let sent = request().timeout(ANSWER_TIMEOUT).send().await;
            let Some(response) = retries.check(sent).await? else {
                continue;
            };
            match response.bytes().await {
                Ok(body) => {
                    retries.succeeded();
                    return serde_json::from_slice(&body).map_err(ClientError::InvalidResponse);
                }
                Err(error) => retries.pause_after(&error).await?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_given_by_its_url() {
        for (text, url) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("example.org/four", "http://example.org/four"),
            ("https://example.org/four/", "https://example.org/four"),
        ] {
            assert_eq!(Client::new(text).expect("a URL").server(), url);
        }
        for text in [
            "",
            "ftp://example.org",
            "http://",
            "http://host?query",
            "host#part",
        ] {
            assert!(Client::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_idempotency_key_is_unique() {
        assert_ne!(IdempotencyKey::new().0, IdempotencyKey::new().0);
    }
}
