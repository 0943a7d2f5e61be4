//! When to ask again, and for how long: a lost connection and a service that is away are told,
//! waited for and tried again, with growing pauses that no two clients share.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::problem::{ClientError, Problem, cause};

/// How long a client goes on when the service cannot be reached.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The pause after the first attempt; each further one is twice as long.
    pub first_pause: Duration,
    /// No pause is longer, unless the service asks for it in `Retry-After`.
    pub longest_pause: Duration,
    /// A request is given up when it has failed for so long. A service that never answered
    /// yet is given up at once, since its address may be wrong.
    pub give_up_after: Duration,
}

impl Default for Patience {
    /// For people who can see that they are waiting, and can leave.
    fn default() -> Self {
        Patience {
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(3),
            give_up_after: Duration::from_secs(300),
        }
    }
}

/// How the service could be reached the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Nothing was sent yet.
    Untried,
    /// It answered.
    Well,
    /// It did not, and is asked again.
    Lost {
        /// What the system or the service says.
        cause: String,
    },
}

/// The attempts of one request.
#[derive(Debug)]
pub(super) struct Attempts<'a> {
    connection: &'a watch::Sender<Connection>,
    patience: Patience,
    failing_since: Option<Instant>,
    pause: Duration,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(
        connection: &'a watch::Sender<Connection>,
        patience: Patience,
    ) -> Attempts<'a> {
        Attempts {
            connection,
            patience,
            failing_since: None,
            pause: patience.first_pause,
        }
    }

    /// The answer, if it is what was wanted; `None` after a pause, when it is time to ask again.
    pub(super) async fn judge(
        &mut self,
        sent: reqwest::Result<Response>,
    ) -> Result<Option<Response>, ClientError> {
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                self.lost(error).await?;
                return Ok(None);
            }
        };
        let status = answer.status();
        if status.is_success() {
            return Ok(Some(answer));
        }
        let at_least = retry_after(&answer);
        let body = match answer.bytes().await {
            Ok(body) => body,
            Err(error) => {
                self.lost(error).await?;
                return Ok(None);
            }
        };
        let problem = Problem::of(status, &body);
        if !is_passing(status) {
            self.succeeded();
            return Err(ClientError::Refused(problem));
        }
        let cause = problem.reason().to_owned();
        self.wait(cause, at_least, ClientError::Refused(problem))
            .await?;
        Ok(None)
    }

    /// Something was answered; whether it was welcome is another question.
    pub(super) fn succeeded(&mut self) {
        self.failing_since = None;
        self.pause = self.patience.first_pause;
        self.connection
            .send_if_modified(|connection| match connection {
                Connection::Well => false,
                Connection::Untried | Connection::Lost { .. } => {
                    *connection = Connection::Well;
                    true
                }
            });
    }

    /// Waits after a loss, or gives up.
    pub(super) async fn lost(&mut self, error: reqwest::Error) -> Result<(), ClientError> {
        self.lost_because(cause(&error)).await
    }

    pub(super) async fn lost_because(&mut self, cause: String) -> Result<(), ClientError> {
        let given_up = ClientError::Unreachable(cause.clone());
        self.wait(cause, Duration::ZERO, given_up).await
    }

    async fn wait(
        &mut self,
        cause: String,
        at_least: Duration,
        given_up: ClientError,
    ) -> Result<(), ClientError> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let was_untried = *self.connection.borrow() == Connection::Untried;
        let is_nobody = was_untried && matches!(given_up, ClientError::Unreachable(_));
        if is_nobody || since.elapsed() >= self.patience.give_up_after {
            return Err(given_up);
        }
        self.connection.send_replace(Connection::Lost { cause });
        let pause = self.pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.pause = (self.pause * 2).min(self.patience.longest_pause);
        sleep(pause.max(at_least)).await;
        Ok(())
    }
}

/// Whether the same request may be answered otherwise later on.
fn is_passing(status: StatusCode) -> bool {
    [
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ]
    .contains(&status)
}

/// What the service asks for, in seconds. A minute is as long as anybody waits for a date.
fn retry_after(answer: &Response) -> Duration {
    const LONGEST: u64 = 60;
    let header = answer.headers().get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience {
            give_up_after: Duration::from_secs(10),
            ..Patience::default()
        }
    }

    async fn lose(attempts: &mut Attempts<'_>) -> Result<(), ClientError> {
        attempts.lost_because("away".to_owned()).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_never_answered_is_given_up_at_once() {
        let connection = watch::Sender::new(Connection::Untried);
        let mut attempts = Attempts::new(&connection, patience());
        assert!(lose(&mut attempts).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_end() {
        let connection = watch::Sender::new(Connection::Well);
        let mut attempts = Attempts::new(&connection, patience());
        let begin = Instant::now();
        let mut pauses = Vec::new();
        let given_up = loop {
            let before = Instant::now();
            match lose(&mut attempts).await {
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
    async fn an_answer_renews_the_patience() {
        let connection = watch::Sender::new(Connection::Well);
        let mut attempts = Attempts::new(&connection, patience());
        for _ in 0..100 {
            lose(&mut attempts).await.expect("patience");
            attempts.succeeded();
        }
        assert_eq!(*connection.borrow(), Connection::Well);
    }
}
