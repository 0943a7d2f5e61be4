//! A service process that can be killed and started again, and whose API shows the stored events.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A service on a SQLite file of its own. Killed when dropped.
pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) store: String,
    child: Child,
    runtime: Runtime,
    _folder: TempDir,
}

impl Service {
    pub(crate) fn start() -> Service {
        Service::start_with(&[])
    }

    /// Starts it with these settings. They do not apply after `start_again`.
    pub(crate) fn start_with(settings: &[&str]) -> Service {
        let folder = TempDir::new().expect("a folder");
        let store = format!("sqlite://{}", folder.path().join("games.db").display());
        let (child, url) = serve(&store, "127.0.0.1:0", settings);
        Service {
            url,
            store,
            child,
            runtime: Runtime::new().expect("threads"),
            _folder: folder,
        }
    }

    /// Sends SIGKILL, which a program cannot catch.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a process of ours");
        self.child.wait().expect("a process of ours");
    }

    /// Starts it again, on the same file and the same port.
    pub(crate) fn start_again(&mut self) {
        let address = self.url.trim_start_matches("http://");
        let (child, url) = serve(&self.store, address, &[]);
        assert_eq!(url, self.url);
        self.child = child;
    }

    /// Runs the future on the runtime of this helper.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A new game between alice and bob, in which they have made these moves in turn.
    pub(crate) fn game_with(&self, columns: &str) -> String {
        let names = json!({"player_one": "alice", "player_two": "bob"});
        let game = self.ask(Method::POST, "/games", Some(names));
        let id = game["id"].as_str().expect("an id").to_owned();
        let players = ["alice", "bob"].into_iter().cycle();
        for (player, column) in players.zip(columns.chars()) {
            self.make_move(&id, player, &column.to_string());
        }
        id
    }

    pub(crate) fn make_move(&self, id: &str, player: &str, column: &str) {
        let body = json!({"player": player, "column": column});
        self.ask(Method::POST, &format!("/games/{id}/moves"), Some(body));
    }

    /// The status of the answer to a move with this token, or without a token.
    pub(crate) fn try_move(
        &self,
        id: &str,
        player: &str,
        column: &str,
        token: Option<&str>,
    ) -> u16 {
        self.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build();
            let request = client
                .expect("a client")
                .post(format!("{}/games/{id}/moves", self.url))
                .json(&json!({"player": player, "column": column}));
            let request = match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            request.send().await.expect("an answer").status().as_u16()
        })
    }

    /// The columns of all moves in the game's stream.
    pub(crate) fn columns(&self, id: &str) -> String {
        let events = self.events(id);
        let columns = events
            .iter()
            .filter_map(|event| event["data"]["column"].as_str());
        columns.collect()
    }

    /// The types of all events in the game's stream.
    pub(crate) fn event_types(&self, id: &str) -> Vec<String> {
        let events = self.events(id);
        let types = events.iter().filter_map(|event| event["type"].as_str());
        types.map(str::to_owned).collect()
    }

    fn events(&self, id: &str) -> Vec<Value> {
        let path = format!("/games/{id}/events?limit=100");
        let page = self.ask(Method::GET, &path, None);
        page["events"].as_array().expect("events").clone()
    }

    pub(crate) fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        self.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build();
            let client = client.expect("a client");
            let request = client.request(method, format!("{}{path}", self.url));
            let request = match body {
                Some(body) => request.json(&body),
                None => request,
            };
            let answer = request.send().await.expect("an answer");
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            answer.json().await.expect("JSON")
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An error means that it was already killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(store: &str, address: &str, settings: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(["--event-store", store, "--listen", address])
        .args(settings)
        .env_remove("RUST_LOG")
        .env_remove("REQUIRE_IF_MATCH")
        .env_remove("LOG_FORMAT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let url = lines.find_map(|line| {
        let (_, rest) = line.split_once("serving on ")?;
        Some(rest.split_once(',')?.0.to_owned())
    });
    // Keep reading, so that the pipe does not fill up.
    std::thread::spawn(move || lines.for_each(drop));
    (child, url.expect("a start-up line"))
}
