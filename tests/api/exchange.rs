//! Requests and answers.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;

use crate::documented::is_announced;

/// A request to which headers and a body can be added.
pub(crate) struct Request(pub(crate) reqwest::RequestBuilder);

impl Request {
    pub(crate) fn header(self, name: &str, value: &str) -> Request {
        Request(self.0.header(name, value))
    }

    pub(crate) fn json(self, body: &Value) -> Request {
        Request(self.0.json(body))
    }

    /// Sets this body with the JSON content type.
    pub(crate) fn raw_json(self, body: impl Into<reqwest::Body>) -> Request {
        self.header("content-type", "application/json").body(body)
    }

    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Request {
        Request(self.0.body(body))
    }

    pub(crate) fn into_inner(self) -> reqwest::RequestBuilder {
        self.0
    }

    pub(crate) async fn send(self) -> Answer {
        self.try_send().await.expect("an answer")
    }

    pub(crate) async fn try_send(self) -> reqwest::Result<Answer> {
        let (client, request) = self.0.build_split();
        let request = request?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await?;
        let answer = Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        };
        let (status, headers) = (answer.status.as_u16(), &answer.headers);
        is_announced(method.as_str(), &path, status, headers, &answer.body);
        Ok(answer)
    }
}

/// The answer of the service.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The answer to this request in the bytes that a connection sent. Its body has a `Content-Length`, or ends
    /// with the connection.
    pub(crate) fn parse(method: &str, path: &str, bytes: &[u8]) -> Answer {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
        let head = str::from_utf8(&bytes[..end]).expect("a head of text");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status: StatusCode = status.expect("a status line").parse().expect("a status");
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a field");
            let name: HeaderName = name.parse().expect("a field name");
            headers.append(name, value.parse().expect("a field value"));
        }
        let body = bytes[end + 4..].to_vec();
        is_announced(method, path, status.as_u16(), &headers, &body);
        Answer {
            status,
            headers,
            body,
        }
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Answer {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{body}");
        self
    }

    /// Asserts that the answer is this problem and has the form of every problem. Returns its members.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, slug: &str) -> Value {
        let answer = self.clone().is(status);
        let problem = answer.json();
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
        assert_eq!(problem["status"], status);
        for text in ["title", "detail"] {
            assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()));
        }
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let request_id = answer.header("x-request-id");
        assert_eq!(problem["instance"], format!("urn:uuid:{request_id}"));
        problem
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The value of a header; empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let name: HeaderName = name.parse().expect("a header name");
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a text value"))
    }
}
