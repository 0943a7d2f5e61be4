//! `connect-four health`: the health check of a running service.

use std::time::Duration;

use reqwest::Url;

use super::settings::HealthSettings;

/// How long the answer may take; the container's health check waits three seconds.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why the health check failed.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// The argument is not a URL of HTTP.
    #[error("`{0}` is not a URL that can be checked; an example is http://127.0.0.1:8080/readyz")]
    InvalidUrl(String),
    /// The service listens on a port that the system chose.
    #[error("--listen (LISTEN) has port 0, so the port is not known; give the URL of the service")]
    UnknownPort,
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
pub async fn check(settings: &HealthSettings) -> Result<(), Unhealthy> {
    let url = url(settings)?;
    let no_answer = |error: reqwest::Error| Unhealthy::NoAnswer {
        url: url.to_string(),
        error: error.without_url(),
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .map_err(no_answer)?;
    let sent = client.get(url.clone()).send().await;
    let status = sent.map_err(no_answer)?.status();
    if status.is_success() {
        return Ok(());
    }
    Err(Unhealthy::Status {
        url: url.to_string(),
        status,
    })
}

/// The URL to request.
fn url(settings: &HealthSettings) -> Result<Url, Unhealthy> {
    let given = &settings.url;
    let text = if given.starts_with('/') {
        let service = settings.listen.local_url().ok_or(Unhealthy::UnknownPort)?;
        format!("{service}{given}")
    } else if given.contains("://") {
        given.clone()
    } else {
        format!("http://{given}")
    };
    Url::parse(&text)
        .ok()
        .filter(|url| ["http", "https"].contains(&url.scheme()))
        .ok_or_else(|| Unhealthy::InvalidUrl(given.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(given: &str, listen: &str) -> Option<String> {
        let settings = HealthSettings {
            url: given.to_owned(),
            listen: listen.parse().expect("an address"),
        };
        url(&settings).ok().map(|url| url.to_string())
    }

    #[test]
    fn a_path_is_requested_where_the_service_listens() {
        for (given, listen, requested) in [
            ("/readyz", "0.0.0.0:81", "http://127.0.0.1:81/readyz"),
            ("/livez", "[::]:81", "http://[::1]:81/livez"),
            ("http://a:1/b", "0.0.0.0:81", "http://a:1/b"),
            (
                "localhost:8080/livez",
                "0.0.0.0:81",
                "http://localhost:8080/livez",
            ),
        ] {
            assert_eq!(checked(given, listen).as_deref(), Some(requested));
        }
        for given in ["ftp://a/b", "http://", "", "/readyz"] {
            assert_eq!(checked(given, "0.0.0.0:0"), None, "{given}");
        }
    }
}
