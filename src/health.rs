//! Asks a running service whether it is well.

use std::time::Duration;

/// How long the answer may take; container engines wait three seconds.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why the service does not count as well.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// Nobody answered in time.
    #[error("{url} does not answer: {error}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// What went wrong.
        error: reqwest::Error,
    },
    /// It answered that it is not.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The answer's status.
        status: reqwest::StatusCode,
    },
}

/// Succeeds if the URL answers with a 2xx within two seconds.
pub async fn ask(url: &str) -> Result<(), Unhealthy> {
    let no_answer = |error: reqwest::Error| Unhealthy::NoAnswer {
        url: url.to_owned(),
        error: error.without_url(),
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .map_err(no_answer)?;
    let status = client.get(url).send().await.map_err(no_answer)?.status();
    if status.is_success() {
        return Ok(());
    }
    Err(Unhealthy::Status {
        url: url.to_owned(),
        status,
    })
}
