//! The program as it serves, on a file of its own: to be killed and started again.

use std::process::Stdio;

use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running service. Killed when dropped.
pub(crate) struct Service {
    pub(crate) url: String,
    child: Child,
    store: String,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Service {
    pub(crate) async fn start() -> Service {
        let folder = TempDir::new().expect("a folder");
        let store = format!("sqlite://{}", folder.path().join("games.db").display());
        let (child, url) = serve(&store, "127.0.0.1:0").await;
        let client = reqwest::Client::builder().tls_built_in_root_certs(false);
        Service {
            url,
            child,
            store,
            client: client.no_proxy().build().expect("a client"),
            _folder: folder,
        }
    }

    /// SIGKILL, which no program can catch.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("a process of ours");
    }

    /// Starts it again, on the same file and the same port.
    pub(crate) async fn start_again(&mut self) {
        let address = self.url.trim_start_matches("http://");
        let (child, url) = serve(&self.store, address).await;
        assert_eq!(url, self.url);
        self.child = child;
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// What is at this path, as this media type.
    pub(crate) async fn get(&self, path: &str, media_type: &str) -> reqwest::Response {
        let request = self.request(Method::GET, path).header(ACCEPT, media_type);
        request.send().await.expect("an answer")
    }

    /// The board of a game as text, one line a row from the top, without its frame.
    pub(crate) async fn board(&self, path: &str) -> String {
        let text = self.get(path, "text/plain").await.text().await;
        let text = text.expect("text");
        let rows = text.lines().filter(|line| line.starts_with('║'));
        let cells = |row: &str| row.chars().skip(2).step_by(4).take(7).collect::<String>();
        rows.map(cells).collect::<Vec<_>>().join("\n")
    }

    /// A new game between alice and bob, with these moves made in turns.
    pub(crate) async fn game_with(&self, columns: &str) -> String {
        let names = json!({"player_one": "alice", "player_two": "bob"});
        let game = self.post("/games", &names).await;
        let id = game["id"].as_str().expect("an id").to_owned();
        for (player, column) in ["alice", "bob"].iter().cycle().zip(columns.chars()) {
            self.make_move(&id, player, &column.to_string()).await;
        }
        id
    }

    pub(crate) async fn make_move(&self, id: &str, player: &str, column: &str) {
        let body = json!({"player": player, "column": column});
        self.post(&format!("/games/{id}/moves"), &body).await;
    }

    /// The events of a game, each as its type and, of a move, its column.
    pub(crate) async fn events(&self, id: &str) -> Vec<String> {
        let path = format!("/games/{id}/events?limit=100");
        let page = self.get(&path, "application/json").await.json::<Value>();
        let page = page.await.expect("JSON");
        let events = page["events"].as_array().expect("events").iter();
        let words = events.map(|event| match event["data"]["column"].as_str() {
            Some(column) => column.to_owned(),
            None => event["type"].as_str().unwrap_or_default().to_owned(),
        });
        words.collect()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.request(Method::POST, path).json(body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }
}

async fn serve(store: &str, address: &str) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(["--event-store", store, "--listen", address])
        .env_remove("RUST_LOG")
        .env_remove("REQUIRE_IF_MATCH")
        .env_remove("LOG_FORMAT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let stdout = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.expect("text") {
        if let Some((_, rest)) = line.split_once("serving on ") {
            let (url, _) = rest.split_once(',').expect("a comma after the URL");
            let url = url.to_owned();
            // Read on, so that the pipe does not fill up.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (child, url);
        }
    }
    panic!("the program ended instead of serving");
}
