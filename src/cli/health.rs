//! `connect-four health`: the health check of a running service.

use std::time::Duration;

/// How long the answer may take; the container's health check waits three seconds.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why the health check failed.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// There was no answer in time.
    #[error("{url} does not answer: {error}")]
    NoAnswer {
        /// The requested URL.
        url: String,
        /// What went wrong.
        error: reqwest::Error,
    },
    /// The status of the answer was not 2xx.
    #[error("{url} answers {status}")]
    Status {
        /// The requested URL.
        url: String,
        /// The status of the answer.
        status: reqwest::StatusCode,
    },
}

/// Succeeds if the URL answers with a 2xx status within two seconds.
pub async fn check(url: &str) -> Result<(), Unhealthy> {
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
