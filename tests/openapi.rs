//! Compares `openapi.yaml` with the service: the document is valid and has the same operations and the
//! same problem types. (`tests/api` checks every answer against the document.)

#[path = "support/openapi.rs"]
mod openapi;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use connect_four::event_store::MemoryStore;
use connect_four::http::{App, router};
use http_body_util::BodyExt;
use openapi::{DOCUMENT, paths, resolve, validator};
use serde_json::Value;
use tower::ServiceExt;

const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e11";

fn service() -> Router {
    router(App::new(Arc::new(MemoryStore::new())))
}

async fn answer(service: &Router, method: &str, path: &str, body: &str) -> Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let answered = service.clone().oneshot(request).await;
    answered.expect("a router always answers")
}

async fn json_of(answer: Response<Body>) -> Value {
    let body = answer.into_body().collect().await.expect("a body");
    serde_json::from_slice(&body.to_bytes()).unwrap_or_default()
}

/// The path with a value for each of its variables.
fn filled_in(template: &str) -> String {
    template
        .replace("{id}", ID)
        .replace("{number}", "1")
        .replace("{name}", "ada")
        .replace("{slug}", "column-full")
}

/// The methods that the document lists for a path, in upper case.
fn methods(path: &str) -> Vec<String> {
    let item = DOCUMENT["paths"][path].as_object().expect("a path");
    ["get", "post", "put", "patch", "delete"]
        .into_iter()
        .filter(|method| item.contains_key(*method))
        .map(str::to_uppercase)
        .collect()
}

#[test]
fn the_document_is_valid_openapi() {
    let schema: Value =
        serde_json::from_str(include_str!("fixtures/openapi/3.1.schema.json")).expect("JSON");
    let judge = jsonschema::validator_for(&schema).expect("a schema");
    if let Err(error) = judge.validate(&DOCUMENT) {
        panic!("{error} at {}", error.instance_path());
    }
    for (name, schema) in members(&DOCUMENT["components"]["schemas"]) {
        assert!(
            jsonschema::meta::is_valid(schema),
            "{name} is not a JSON schema"
        );
    }
}

#[test]
fn every_reference_resolves_and_every_component_is_used() {
    let mut used = BTreeSet::new();
    visit(&DOCUMENT, &mut |node| {
        if let Some(reference) = node["$ref"].as_str() {
            assert!(!resolve(node).is_null());
            used.insert(reference.to_owned());
        }
        // A security requirement names its scheme instead of referring to it.
        for requirement in node["security"].as_array().into_iter().flatten() {
            for (scheme, _) in members(requirement) {
                used.insert(format!("#/components/securitySchemes/{scheme}"));
            }
        }
    });
    // Used by no operation: it is the answer to the other methods of a path.
    used.insert("#/components/responses/MethodNotAllowed".to_owned());
    for (kind, components) in members(&DOCUMENT["components"]) {
        for (name, _) in members(components) {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(&reference), "{reference} is not used");
        }
    }
}

#[test]
fn every_operation_has_a_unique_id_and_valid_examples() {
    let mut names = BTreeSet::new();
    for (path, item) in members(&DOCUMENT["paths"]) {
        for method in methods(path) {
            let operation = &item[method.to_lowercase()];
            let name = operation["operationId"].as_str().expect("an operationId");
            assert!(names.insert(name), "{name} is used twice");
            let body = resolve(&operation["requestBody"]);
            examples_are_right(name, &body["content"]);
            for (_, response) in members(&operation["responses"]) {
                examples_are_right(name, &resolve(response)["content"]);
            }
        }
    }
}

fn examples_are_right(operation: &str, content: &'static Value) {
    for (media_type, content) in members(content) {
        let examples = members(&content["examples"]);
        let is_described_elsewhere = ["text/html", "application/yaml"].contains(&media_type);
        assert!(
            !examples.is_empty() || is_described_elsewhere || operation.starts_with("openapi"),
            "{operation}: no example of {media_type}"
        );
        for (name, example) in examples {
            let value = &resolve(example)["value"];
            if let Err(error) = validator(&content["schema"]).validate(value) {
                panic!("{operation}: {name}: {error} at {}", error.instance_path());
            }
        }
    }
}

/// Generators leave out or misread what this test forbids. `.ci/generated-clients` plays games with
/// generated clients; this test finds the same faults without a generator.
#[test]
fn the_document_has_only_forms_that_client_generators_read() {
    for (path, item) in members(&DOCUMENT["paths"]) {
        assert!(item["parameters"].is_null(), "{path}: repeat them");
        for method in methods(path) {
            for parameter in parameters(&item[method.to_lowercase()]) {
                let name = &parameter["name"];
                let schema = resolve(&parameter["schema"]);
                assert!(schema["type"].is_string(), "{method} {path}: {name}");
                for union in ["anyOf", "oneOf", "allOf"] {
                    assert!(schema[union].is_null(), "{method} {path}: {name}: {union}");
                }
            }
        }
    }
    for (name, schema) in members(&DOCUMENT["components"]["schemas"]) {
        if schema["allOf"][0]["$ref"] == "#/components/schemas/Problem" {
            let slugs = &schema["properties"]["type"]["enum"];
            assert!(slugs.is_array(), "{name}: an enum distinguishes problems");
        }
    }
    visit(&DOCUMENT, &mut |node| {
        assert!(node["properties"]["D"].is_null(), "a property D: {node}");
        for limit in ["minimum", "maximum"] {
            let is_readable = node[limit].is_null() || node[limit].as_i64().is_some();
            assert!(is_readable, "{limit}: {} is not an int64", node[limit]);
        }
        if let Some(types) = node["type"].as_array() {
            let types: Vec<_> = types.iter().filter(|name| **name != "null").collect();
            assert!(types.len() < 2, "several types: {node}");
            assert!(node["enum"].is_null(), "types and an enum: {node}");
        }
        for union in ["anyOf", "oneOf"] {
            let alternatives = node[union].as_array().into_iter().flatten();
            let (nulls, others): (Vec<_>, Vec<_>) =
                alternatives.partition(|schema| schema["type"] == "null");
            let is_object = |schema: &&'static Value| resolve(schema)["type"] == "object";
            assert!(
                nulls.is_empty() || others.iter().all(is_object),
                "only an object needs a union with null: {node}"
            );
        }
    });
}

fn parameters(operation: &'static Value) -> impl Iterator<Item = &'static Value> {
    let parameters = operation["parameters"].as_array();
    parameters.into_iter().flatten().map(resolve)
}

/// `axum` cannot list its routes. So the paths are read from the source of the router, and requests
/// show which methods each path accepts.
#[tokio::test]
async fn the_document_and_the_router_have_the_same_operations() {
    let source = include_str!("../src/http/mod.rs");
    let routed: BTreeSet<_> = source
        .split(".route(")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .collect();
    assert_eq!(routed, paths().collect());

    let service = service();
    for template in paths() {
        let documented = methods(template);
        let path = filled_in(template);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = answer(&service, method, &path, "{}").await;
            let is_documented = documented.iter().any(|documented| documented == method);
            assert_eq!(answer.status() != 405, is_documented, "{method} {template}");
            if !is_documented {
                let allowed = answer.headers().get(header::ALLOW);
                let allowed = allowed.map(|allow| allow.to_str().expect("text"));
                let allowed: BTreeSet<_> = allowed
                    .unwrap_or_default()
                    .split(',')
                    .map(str::trim)
                    .collect();
                let mut expected: BTreeSet<_> = documented.iter().map(String::as_str).collect();
                if expected.contains("GET") {
                    expected.insert("HEAD");
                }
                assert_eq!(allowed, expected, "{template}");
            }
        }
    }
}

/// A client that asks for the document and does not read it must not cost a copy per request.
#[tokio::test]
async fn all_responses_share_the_bytes_of_the_document() {
    let service = service();
    for path in ["/openapi.json", "/openapi.yaml"] {
        let mut bodies = Vec::new();
        for _ in 0..2 {
            let body = answer(&service, "GET", path, "").await.into_body();
            bodies.push(body.collect().await.expect("a body").to_bytes());
        }
        assert_eq!(bodies[0].as_ptr(), bodies[1].as_ptr(), "{path}");
    }
}

#[tokio::test]
async fn the_document_and_the_service_have_the_same_problem_types() {
    let service = service();
    let listed = json_of(answer(&service, "GET", "/problems", "").await).await;
    let listed = listed["problems"].as_array().expect("a list").clone();
    let mut slugs = BTreeSet::new();
    for summary in &listed {
        let path = summary["type"].as_str().expect("a type");
        let slug = path.trim_start_matches("/problems/");
        slugs.insert(slug.to_owned());
        let explained = json_of(answer(&service, "GET", path, "").await).await;
        for member in ["meaning", "next"] {
            let text = explained[member].as_str().unwrap_or_default();
            assert!(text.ends_with('.'), "{slug}: {member}: {text:?}");
        }
        let example = &explained["example"];
        for member in ["type", "title", "status"] {
            assert_eq!(explained[member], summary[member]);
            assert_eq!(example[member], summary[member], "the example of {slug}");
        }
        let status = &summary["status"];
        assert!(
            is_announced_at(status, slug),
            "{slug} is not among the answers with status {status}"
        );
    }
    let documented: BTreeSet<_> = members(&DOCUMENT["components"]["examples"])
        .into_iter()
        .filter(|(name, example)| example["value"]["type"] == format!("/problems/{name}"))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(documented, slugs);
}

/// Whether a documented response with this status has this problem as an example.
fn is_announced_at(status: &Value, slug: &str) -> bool {
    members(&DOCUMENT["components"]["responses"])
        .into_iter()
        .map(|(_, response)| &response["content"]["application/problem+json"])
        .filter(|problems| !problems["examples"][slug].is_null())
        .any(|problems| {
            let first = members(&problems["examples"])[0].1;
            resolve(first)["value"]["status"] == *status
        })
}

fn members(node: &'static Value) -> Vec<(&'static str, &'static Value)> {
    let members = node.as_object().into_iter().flatten();
    members
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

fn visit(node: &'static Value, see: &mut impl FnMut(&'static Value)) {
    see(node);
    match node {
        Value::Object(members) => members.values().for_each(|member| visit(member, see)),
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
