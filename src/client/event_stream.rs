//! The events of a game as they are recorded. A lost connection is opened again.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use tokio::time::timeout;
use uuid::Uuid;

use super::game::Event;
use super::problem::{ClientError, cause};
use super::retry::Retries;
use super::service::{ANSWER_TIMEOUT, Client};

/// The service sends something at least every 15 seconds, so a connection that is silent for
/// this long is lost.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(40);

/// The events of a game after a revision, each once and in order. A new connection resumes after
/// the last event that was returned.
#[derive(Debug)]
pub struct EventStream {
    client: Client,
    id: Uuid,
    /// The revision of the last event that was returned, or the one to start after.
    after: Option<u64>,
    connection: Option<Response>,
    /// The beginning of a line whose end has not arrived.
    partial_line: Vec<u8>,
    received: VecDeque<Event>,
    is_over: bool,
}

impl Client {
    /// The events of the game after this revision, or all of them for `None`, as they are
    /// recorded.
    pub fn follow(&self, id: Uuid, after: Option<u64>) -> EventStream {
        EventStream::new(self.clone(), id, after)
    }
}

impl EventStream {
    pub(super) fn new(client: Client, id: Uuid, after: Option<u64>) -> EventStream {
        EventStream {
            client,
            id,
            after,
            connection: None,
            partial_line: Vec::new(),
            received: VecDeque::new(),
            is_over: false,
        }
    }

    /// The next event; `None` when the game is over. Cancel safe: dropping the future loses no
    /// event.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        let client = self.client.clone();
        let mut retries = client.retries();
        loop {
            if let Some(event) = self.received.pop_front() {
                self.after = Some(event.revision);
                self.is_over = event.ends_game();
                return Ok(Some(event));
            }
            if self.is_over {
                return Ok(None);
            }
            self.read(&mut retries).await?;
        }
    }

    /// Reads from the connection, or opens it.
    async fn read(&mut self, retries: &mut Retries<'_>) -> Result<(), ClientError> {
        let Some(connection) = &mut self.connection else {
            return self.connect(retries).await;
        };
        let lost = match timeout(SILENCE_TIMEOUT, connection.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                retries.succeeded();
                return self.parse(&chunk);
            }
            // The game is not over, so the service has closed it.
            Ok(Ok(None)) => "the connection was closed".to_owned(),
            Ok(Err(error)) => cause(&error),
            Err(_) => "the connection is silent".to_owned(),
        };
        self.connection = None;
        retries.pause_because(lost).await
    }

    async fn connect(&mut self, retries: &mut Retries<'_>) -> Result<(), ClientError> {
        self.partial_line.clear();
        let query = match self.after {
            Some(revision) => format!("?after={revision}"),
            None => String::new(),
        };
        let path = format!("games/{}/events{query}", self.id);
        let request = self.client.request(Method::GET, &path);
        let request = request.header("accept", "application/x-ndjson");
        let sent = match timeout(ANSWER_TIMEOUT, request.send()).await {
            Ok(sent) => sent,
            Err(_) => return retries.pause_because("no answer in time".to_owned()).await,
        };
        if let Some(response) = retries.check(sent).await? {
            retries.succeeded();
            self.is_over = response.status() == StatusCode::NO_CONTENT;
            self.connection = Some(response);
        }
        Ok(())
    }

    /// Parses the complete lines and keeps the rest. Empty lines only keep the connection alive.
    fn parse(&mut self, chunk: &[u8]) -> Result<(), ClientError> {
        self.partial_line.extend(chunk);
        while let Some(end) = self.partial_line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial_line.drain(..=end).collect();
            if line.trim_ascii().is_empty() {
                continue;
            }
            let event: Event =
                serde_json::from_slice(&line).map_err(ClientError::InvalidResponse)?;
            let newest = self
                .received
                .back()
                .map(|event| event.revision)
                .or(self.after);
            if newest.is_none_or(|newest| event.revision > newest) {
                self.received.push_back(event);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_stream(after: Option<u64>) -> EventStream {
        let client = Client::new("localhost").expect("a URL");
        EventStream::new(client, Uuid::nil(), after)
    }

    #[test]
    fn events_are_parsed_however_their_bytes_are_split() {
        let mut stream = event_stream(Some(0));
        let lines = "\n{\"revision\":0,\"type\":\"GameStarted\",\"data\":{}}\n\
            {\"revision\":1,\"type\":\"MoveMade\",\"data\":{\"player\":\"zoë\"}}\n\n";
        for byte in lines.as_bytes() {
            stream.parse(&[*byte]).expect("lines of events");
        }
        let received: Vec<_> = stream.received.iter().map(|event| event.revision).collect();
        assert_eq!(received, [1], "revision 0 was returned before");
    }
}
