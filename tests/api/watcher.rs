//! Clients that watch a game.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::timeout;

use crate::service::{Answer, Client, Game, Request, Service};

/// The longest wait for something that should happen soon. It is long because the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const SSE: &str = "text/event-stream";
pub(crate) const NDJSON: &str = "application/x-ndjson";
pub(crate) const FORMATS: [&str; 2] = [SSE, NDJSON];

/// An open stream of events.
pub(crate) struct Watcher {
    response: Response,
    is_sse: bool,
    buffer: String,
}

impl Request {
    /// Sends the request and returns the stream of the answer.
    pub(crate) async fn open(self) -> Watcher {
        let answer = timeout(PATIENCE, self.into_inner().send()).await;
        let response = answer.expect("a head in time").expect("an answer");
        assert_eq!(response.status(), 200);
        let is_sse = response.headers()["content-type"] == SSE;
        Watcher {
            response,
            is_sse,
            buffer: String::new(),
        }
    }
}

impl Client {
    /// Repeats `/readyz` until the service is ready, which it is when its lists have caught up.
    pub(crate) async fn is_ready(&self) -> Answer {
        let asked = async {
            loop {
                let answer = self.get("/readyz").await;
                if answer.status == 200 {
                    return answer;
                }
                answer.is_problem(503, "read-model-behind");
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, asked).await.expect("ready in time")
    }

    pub(crate) fn watch(&self, path: &str, accept: &str) -> Request {
        self.request(Method::GET, path).header("accept", accept)
    }
}

impl Service {
    /// Waits until there are this many watchers.
    pub(crate) async fn has_watchers(&self, watchers: usize) {
        let counted = async {
            while self.live.watchers() != watchers {
                tokio::task::yield_now().await;
            }
        };
        let counted = timeout(PATIENCE, counted).await;
        counted.expect("watchers come and go in time");
    }
}

impl Game<'_> {
    /// Opens a stream of the events after this revision.
    pub(crate) async fn watch(&self, accept: &str, after: Option<usize>) -> Watcher {
        let request = self.service.watch(&self.path("/events"), accept);
        let request = match after {
            Some(after) => request.header("last-event-id", &after.to_string()),
            None => request,
        };
        request.open().await
    }

    /// Every event, read from a page.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let page = self.get("/events?limit=100").await.is(200).json();
        page["events"].as_array().expect("events").clone()
    }
}

impl Watcher {
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next raw piece, which ends with an empty line (SSE) or a line break; `None` at the end.
    pub(crate) async fn next_piece(&mut self) -> reqwest::Result<Option<String>> {
        let end = if self.is_sse { "\n\n" } else { "\n" };
        let mut searched = 0;
        loop {
            // Comments keep the connection alive.
            while self.buffer.starts_with(":\n") {
                self.buffer.drain(..2);
                searched = 0;
            }
            if let Some(found) = self.buffer[searched..].find(end) {
                let piece = self.buffer[..searched + found].to_owned();
                self.buffer.drain(..piece.len() + end.len());
                return Ok(Some(piece));
            }
            // The first line end of two may be there already.
            searched = self.buffer.trim_end_matches('\n').len();
            let chunk = timeout(PATIENCE, self.response.chunk()).await;
            match chunk.expect("something in time")? {
                Some(chunk) => self
                    .buffer
                    .push_str(std::str::from_utf8(&chunk).expect("whole letters")),
                None => {
                    assert_eq!(self.buffer, "", "a piece of an event at the end");
                    return Ok(None);
                }
            }
        }
    }

    /// The next event; `None` at the end.
    pub(crate) async fn try_next(&mut self) -> reqwest::Result<Option<Value>> {
        while let Some(piece) = self.next_piece().await? {
            if let Some(event) = self.event(&piece) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    pub(crate) async fn next(&mut self) -> Option<Value> {
        self.try_next().await.expect("an open stream")
    }

    /// All remaining events, up to the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// The event in this piece; `None` for a piece without data.
    fn event(&self, piece: &str) -> Option<Value> {
        let json = |text| serde_json::from_str::<Value>(text).expect("an event's JSON");
        if !self.is_sse {
            return (!piece.is_empty()).then(|| json(piece));
        }
        let field = |name: &str| {
            let mut lines = piece.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let event = json(field("data")?);
        // In the stream of all games, the id is the position.
        let position = event["position"].as_str().map(str::to_owned);
        let id = position.unwrap_or_else(|| event["revision"].to_string());
        assert_eq!(field("id"), Some(id.as_str()));
        assert_eq!(field("event"), event["type"].as_str());
        Some(event)
    }
}
