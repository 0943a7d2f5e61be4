//! `OPTIONS`: the methods of a resource, and CORS preflights.

use reqwest::Method;

use crate::openapi::{DOCUMENT, paths};
use crate::raw::Raw;
use crate::service::{Answer, Service};

async fn options(service: &Service, path: &str) -> Answer {
    service.request(Method::OPTIONS, path).send().await
}

/// A path that fits the template.
fn path(template: &str) -> String {
    template
        .replace("{id}", "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e11")
        .replace("{number}", "1")
        .replace("{name}", "ada")
        .replace("{slug}", "column-full")
}

#[tokio::test]
async fn every_method_of_every_path_is_served_in_a_request_context() {
    let service = Service::on_memory().await;
    let undocumented = ["/", "/assets/1/game.js", "/nowhere"];
    for template in paths().chain(undocumented) {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            let method: Method = method.parse().expect("a method");
            let request = service.request(method.clone(), &path(template));
            let answer = request.send().await;
            assert_ne!(answer.header("x-request-id"), "", "{method} {template}");
        }
    }
}

#[tokio::test]
async fn options_lists_the_methods_of_every_path() {
    let service = Service::on_memory().await;
    for template in paths() {
        let path = path(template);
        let answer = options(&service, &path).await.is(204);
        assert!(answer.body.is_empty());
        let mut allowed: Vec<_> = answer.header("allow").split(',').collect();
        allowed.sort_unstable();
        let mut expected = Vec::new();
        for method in ["get", "post", "put"] {
            if DOCUMENT["paths"][template].get(method).is_some() {
                expected.push(method.to_uppercase());
            }
        }
        if expected.contains(&"GET".to_owned()) {
            expected.push("HEAD".to_owned());
        }
        expected.sort_unstable();
        assert_eq!(allowed, expected, "{path}");
    }
}

#[tokio::test]
async fn options_of_a_path_that_does_not_exist_is_not_found() {
    let service = Service::on_memory().await;
    for path in ["/nowhere", "/games/", "/games/x/y", "/Games"] {
        options(&service, path).await.is_problem(404, "not-found");
    }
}

#[tokio::test]
async fn options_of_the_whole_service_lists_all_methods() {
    let service = Service::on_memory().await;
    let mut raw: Raw = service.connect().await;
    raw.send("OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await;
    let answer = Answer::parse("OPTIONS", "*", &raw.rest().await).is(204);
    assert_eq!(answer.header("allow"), "GET,HEAD,POST,PUT");
}

#[tokio::test]
async fn a_preflight_is_answered_for_every_path_and_allows_the_headers_of_tracing() {
    let service = Service::on_memory().await;
    for path in ["/games", "/nowhere"] {
        let preflight = service
            .request(Method::OPTIONS, path)
            .header("origin", "https://play.example")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "baggage,traceparent,tracestate",
            );
        let answer = preflight.send().await.is(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let allowed = answer.header("access-control-allow-headers").to_owned();
        for name in ["baggage", "traceparent", "tracestate"] {
            assert!(allowed.split(',').any(|allowed| allowed == name), "{name}");
        }
    }
}
