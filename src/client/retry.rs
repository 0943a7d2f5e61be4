//! Sends a request again while the service cannot be reached, with growing pauses, and reports
//! the state of the connection.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode, Url};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::problem::{ClientError, Problem, cause};
use super::redirect::redirected;
use crate::backoff::Backoff;

/// How often and for how long a request is sent again when the service cannot be reached.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The longest pause after the first attempt. It doubles with every further attempt.
    pub first_pause: Duration,
    /// No pause is longer, unless the service asks for it in `Retry-After`.
    pub longest_pause: Duration,
    /// A request fails when it has been retried for this long. It fails at once if the service
    /// has never answered, since its address may be wrong.
    pub give_up_after: Duration,
}

impl Default for RetryPolicy {
    /// For interactive use: the user sees the state of the connection and can quit.
    fn default() -> Self {
        RetryPolicy {
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(3),
            give_up_after: Duration::from_secs(300),
        }
    }
}

/// The state of the connection to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// No request was sent yet.
    Untried,
    /// The service answered the last request.
    Connected,
    /// The last request failed and is being retried.
    Lost {
        /// What the operating system or the service reported.
        cause: String,
    },
}

/// The retries of one request.
#[derive(Debug)]
pub(super) struct Retries<'a> {
    /// The URL of the service.
    base: &'a Url,
    connection: &'a watch::Sender<Connection>,
    give_up_after: Duration,
    failing_since: Option<Instant>,
    backoff: Backoff,
}

impl<'a> Retries<'a> {
    pub(super) fn new(
        base: &'a Url,
        connection: &'a watch::Sender<Connection>,
        policy: RetryPolicy,
    ) -> Retries<'a> {
        Retries {
            base,
            connection,
            give_up_after: policy.give_up_after,
            failing_since: None,
            backoff: Backoff::new(policy.first_pause, policy.longest_pause),
        }
    }

    /// Returns the response if it is a success. Returns `None` after a pause when the request
    /// has to be sent again.
    pub(super) async fn check(
        &mut self,
        sent: reqwest::Result<Response>,
    ) -> Result<Option<Response>, ClientError> {
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                self.pause_after(&error).await?;
                return Ok(None);
            }
        };
        let status = response.status();
        if status.is_success() {
            return Ok(Some(response));
        }
        if let Some(redirected) = redirected(self.base, &response) {
            self.succeeded();
            return Err(redirected);
        }
        let at_least = retry_after(&response);
        let body = match response.bytes().await {
            Ok(body) => body,
            Err(error) => {
                self.pause_after(&error).await?;
                return Ok(None);
            }
        };
        let problem = Problem::of(status, &body);
        if !is_temporary(status) {
            self.succeeded();
            return Err(ClientError::Refused(problem));
        }
        let cause = problem.reason().to_owned();
        self.pause(cause, at_least, ClientError::Refused(problem))
            .await?;
        Ok(None)
    }

    /// The service answered, with a success or with a refusal.
    pub(super) fn succeeded(&mut self) {
        self.failing_since = None;
        self.backoff.reset();
        self.connection
            .send_if_modified(|connection| match connection {
                Connection::Connected => false,
                Connection::Untried | Connection::Lost { .. } => {
                    *connection = Connection::Connected;
                    true
                }
            });
    }

    /// Waits before the next attempt, or fails when it is time to give up.
    pub(super) async fn pause_after(&mut self, error: &reqwest::Error) -> Result<(), ClientError> {
        self.pause_because(cause(error)).await
    }

    pub(super) async fn pause_because(&mut self, cause: String) -> Result<(), ClientError> {
        let give_up = ClientError::Unreachable(cause.clone());
        self.pause(cause, Duration::ZERO, give_up).await
    }

    async fn pause(
        &mut self,
        cause: String,
        at_least: Duration,
        give_up: ClientError,
    ) -> Result<(), ClientError> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let was_untried = *self.connection.borrow() == Connection::Untried;
        let never_answered = was_untried && matches!(give_up, ClientError::Unreachable(_));
        if never_answered || since.elapsed() >= self.give_up_after {
            return Err(give_up);
        }
        self.connection.send_replace(Connection::Lost { cause });
        sleep(self.backoff.next_pause().max(at_least)).await;
        Ok(())
    }
}

/// Whether the same request may succeed later.
fn is_temporary(status: StatusCode) -> bool {
    [
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ]
    .contains(&status)
}

/// The pause that the service asks for in seconds, at most a minute. A date is ignored.
fn retry_after(response: &Response) -> Duration {
    const LONGEST: u64 = 60;
    let header = response.headers().get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            give_up_after: Duration::from_secs(10),
            ..RetryPolicy::default()
        }
    }

    fn base() -> Url {
        Url::parse("http://localhost/").expect("a URL")
    }

    async fn lose(retries: &mut Retries<'_>) -> Result<(), ClientError> {
        retries.pause_because("away".to_owned()).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_to_a_service_that_never_answered_fails_at_once() {
        let base = base();
        let connection = watch::Sender::new(Connection::Untried);
        let mut retries = Retries::new(&base, &connection, policy());
        assert!(lose(&mut retries).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_until_the_request_fails() {
        let base = base();
        let connection = watch::Sender::new(Connection::Connected);
        let mut retries = Retries::new(&base, &connection, policy());
        let begin = Instant::now();
        let mut pauses = Vec::new();
        let given_up = loop {
            let before = Instant::now();
            match lose(&mut retries).await {
                Ok(()) => pauses.push(before.elapsed()),
                Err(error) => break error,
            }
        };
        assert!(matches!(given_up, ClientError::Unreachable(cause) if cause == "away"));
        assert!(matches!(*connection.borrow(), Connection::Lost { .. }));
        let [first, .., last] = pauses[..] else {
            panic!("several pauses: {pauses:?}");
        };
        assert!(first <= Duration::from_millis(201), "{pauses:?}");
        assert!(last >= Duration::from_millis(1500), "{pauses:?}");
        assert!(begin.elapsed() < Duration::from_secs(14), "{pauses:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_renews_the_policy() {
        let base = base();
        let connection = watch::Sender::new(Connection::Connected);
        let mut retries = Retries::new(&base, &connection, policy());
        for _ in 0..100 {
            lose(&mut retries).await.expect("there is time left");
            retries.succeeded();
        }
        assert_eq!(*connection.borrow(), Connection::Connected);
    }
}
