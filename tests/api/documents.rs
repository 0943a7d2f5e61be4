//! The documents about the service: index, OpenAPI document, documentation and problem pages.

use reqwest::Method;
use serde_json::Value;

use crate::service::{Answer, Service};

async fn page(service: &Service, path: &str) -> Answer {
    let as_a_browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let request = service.request(Method::GET, path);
    let answer = request.header("accept", as_a_browser).send().await.is(200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    answer
}

#[tokio::test]
async fn the_index_links_to_every_resource() {
    let service = Service::on_memory().await;
    let index = service.get("/").await.is(200);
    assert_eq!(index.header("vary"), "accept");
    let link = index.header("link");
    assert!(
        link.contains("</openapi.yaml>; rel=\"service-desc\""),
        "{link}"
    );
    assert!(link.contains("</docs>; rel=\"service-doc\""), "{link}");
    for url in index.json().as_object().expect("an index").values() {
        let url = url.as_str().expect("an address");
        if url != "/games" && !url.contains('{') {
            service.get(url).await.is(200);
        }
    }
    assert_eq!(page(&service, "/").await.header("link"), link);
}

#[tokio::test]
async fn the_document_is_the_same_as_yaml_and_as_json() {
    let service = Service::on_memory().await;
    let yaml = service.get("/openapi.yaml").await.is(200);
    assert_eq!(yaml.header("content-type"), "application/yaml");
    let yaml: Value =
        serde_saphyr::from_str(std::str::from_utf8(&yaml.body).expect("text")).expect("YAML");
    assert_eq!(service.get("/openapi.json").await.is(200).json(), yaml);
}

#[tokio::test]
async fn pages_load_nothing_from_other_hosts() {
    let service = Service::on_memory().await;
    for path in ["/problems", "/problems/column-full"] {
        let answer = page(&service, path).await;
        let html = String::from_utf8(answer.body.clone()).expect("text");
        for elsewhere in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!html.contains(elsewhere), "{path} has {elsewhere}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        // The page's own styles and scripts have the nonce of this answer. Each answer has a new one.
        let (_, nonce) = policy.split_once("'nonce-").expect("a nonce");
        let (nonce, _) = nonce.split_once('\'').expect("its end");
        let own = html.matches("<style").count() + html.matches("<script").count();
        assert_eq!(
            html.matches(&format!("nonce=\"{nonce}\"")).count(),
            own,
            "{path}"
        );
        assert!(
            !page(&service, path)
                .await
                .header("content-security-policy")
                .contains(nonce)
        );
    }
}

#[tokio::test]
async fn the_type_of_a_problem_is_the_address_of_its_explanation() {
    let service = Service::on_memory().await;
    let problem = service
        .get("/games/x")
        .await
        .is_problem(404, "game-not-found");
    let url = problem["type"].as_str().expect("a type");
    let explained = service.get(url).await.is(200).json();
    assert_eq!(explained["title"], problem["title"]);
    let html = page(&service, url).await;
    let html = String::from_utf8_lossy(&html.body).into_owned();
    assert!(
        html.contains("No such game") && html.contains("POST /games"),
        "{html}"
    );
    service
        .get("/problems/none")
        .await
        .is_problem(404, "not-found");
    service
        .get("/problems/%FF")
        .await
        .is_problem(404, "not-found");
}

/// Sites that link to a page add parameters of their own.
#[tokio::test]
async fn documents_ignore_query_parameters() {
    let service = Service::on_memory().await;
    for path in ["/", "/docs", "/problems", "/problems/column-full"] {
        for query in ["fbclid=x", "a=1&a=2", "%FF", "utm_source=a%20b"] {
            page(&service, &format!("{path}?{query}")).await;
        }
    }
    for path in [
        "/",
        "/openapi.yaml",
        "/openapi.json",
        "/problems",
        "/problems/column-full",
    ] {
        service.get(&format!("{path}?fbclid=x")).await.is(200);
    }
}
