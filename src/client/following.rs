//! A game's events as they come, over as many connections as it takes.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use tokio::time::timeout;
use uuid::Uuid;

use super::attempts::Attempts;
use super::game::Event;
use super::problem::{ClientError, cause};
use super::service::{ANSWER, Client};

/// The service is never silent for longer than 15 seconds, so that this is a lost connection.
const SILENCE: Duration = Duration::from_secs(40);

/// The events of a game after a revision, each once and in order. A lost connection is resumed
/// where it broke off.
#[derive(Debug)]
pub struct Following {
    client: Client,
    id: Uuid,
    /// The last revision that was handed out or asked for.
    after: Option<u64>,
    connection: Option<Response>,
    /// What has come of a line.
    unfinished: Vec<u8>,
    come: VecDeque<Event>,
    is_over: bool,
}

impl Client {
    /// The events of the game after this revision, or from the first one on, as they come.
    pub fn follow(&self, id: Uuid, after: Option<u64>) -> Following {
        Following::new(self.clone(), id, after)
    }
}

impl Following {
    pub(super) fn new(client: Client, id: Uuid, after: Option<u64>) -> Following {
        Following {
            client,
            id,
            after,
            connection: None,
            unfinished: Vec::new(),
            come: VecDeque::new(),
            is_over: false,
        }
    }

    /// The next event; `None` when the game is over. To drop the future loses nothing: whoever
    /// waits for something else too may ask again.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        let client = self.client.clone();
        let mut attempts = client.attempts();
        loop {
            if let Some(event) = self.come.pop_front() {
                self.after = Some(event.revision);
                self.is_over = event.ends_game();
                return Ok(Some(event));
            }
            if self.is_over {
                return Ok(None);
            }
            self.read(&mut attempts).await?;
        }
    }

    /// Connects, if need be, and reads what has come.
    async fn read(&mut self, attempts: &mut Attempts<'_>) -> Result<(), ClientError> {
        let Some(connection) = &mut self.connection else {
            return self.connect(attempts).await;
        };
        let lost = match timeout(SILENCE, connection.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                attempts.succeeded();
                return self.take(&chunk);
            }
            // Before the game's end, this is the service's.
            Ok(Ok(None)) => "the connection was closed".to_owned(),
            Ok(Err(error)) => cause(&error),
            Err(_) => "the connection is silent".to_owned(),
        };
        self.connection = None;
        attempts.lost_because(lost).await
    }

    async fn connect(&mut self, attempts: &mut Attempts<'_>) -> Result<(), ClientError> {
        self.unfinished.clear();
        let query = match self.after {
            Some(revision) => format!("?after={revision}"),
            None => String::new(),
        };
        let path = format!("games/{}/events{query}", self.id);
        let request = self.client.request(Method::GET, &path);
        let request = request.header("accept", "application/x-ndjson");
        let sent = match timeout(ANSWER, request.send()).await {
            Ok(sent) => sent,
            Err(_) => return attempts.lost_because("no answer in time".to_owned()).await,
        };
        if let Some(answer) = attempts.judge(sent).await? {
            attempts.succeeded();
            self.is_over = answer.status() == StatusCode::NO_CONTENT;
            self.connection = Some(answer);
        }
        Ok(())
    }

    /// Takes in whole lines, and keeps the rest. Empty ones keep the connection alive.
    fn take(&mut self, chunk: &[u8]) -> Result<(), ClientError> {
        self.unfinished.extend(chunk);
        while let Some(end) = self.unfinished.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            if line.trim_ascii().is_empty() {
                continue;
            }
            let event: Event =
                serde_json::from_slice(&line).map_err(ClientError::Unintelligible)?;
            let newest = self.come.back().map(|event| event.revision).or(self.after);
            if newest.is_none_or(|newest| event.revision > newest) {
                self.come.push_back(event);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(after: Option<u64>) -> Following {
        let client = Client::new("localhost").expect("a URL");
        Following::new(client, Uuid::nil(), after)
    }

    #[test]
    fn lines_are_whole_however_they_come() {
        let mut following = following(Some(0));
        let lines = "\n{\"revision\":0,\"type\":\"GameStarted\",\"data\":{}}\n\
            {\"revision\":1,\"type\":\"MoveMade\",\"data\":{\"player\":\"zoë\"}}\n\n";
        for byte in lines.as_bytes() {
            following.take(&[*byte]).expect("lines of events");
        }
        let come: Vec<_> = following.come.iter().map(|event| event.revision).collect();
        assert_eq!(come, [1], "what was there already is not told again");
    }
}
