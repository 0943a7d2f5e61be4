//! Checks every answer that a test receives against `openapi.yaml`.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::openapi::{DOCUMENT, paths, resolve, validator};

/// The operation of a request.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let is_at = |template: &&str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(variable), Some(given)) if variable.starts_with('{') && !given.is_empty() => {
                }
                (Some(wanted), Some(given)) if wanted == given => {}
                (_, _) => return false,
            }
        }
    };
    let template = paths().find(is_at)?;
    // HEAD has the same answers as GET, without the body.
    let method = method.replace("HEAD", "GET").to_lowercase();
    DOCUMENT["paths"][template].get(method)
}

/// Asserts that the document describes this answer to this request.
#[track_caller]
pub(crate) fn is_announced(
    method: &str,
    path: &str,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) {
    if method == "OPTIONS" {
        // The Fetch standard defines CORS preflights for every resource, so the document does not.
        return;
    }
    let context = format!("{method} {path}: {status}");
    let header = |name: &str| {
        let value = headers.get(name)?;
        Some(value.to_str().expect("a header of text").to_owned())
    };
    let content_type = header("content-type").unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default();
    let Some(operation) = operation(method, path).filter(|_| status != 405) else {
        // Unknown path or method: the answer is a problem.
        assert_eq!(content_type, "application/problem+json", "{context}");
        let name = if status == 405 {
            "MethodNotAllowed"
        } else {
            "NotFound"
        };
        return is_response(&context, name, body, method);
    };
    let Some(response) = operation["responses"].get(status.to_string()) else {
        panic!(
            "{context}: the document has no such status; {}",
            String::from_utf8_lossy(body)
        );
    };
    let response = resolve(response);
    for (name, described) in response["headers"].as_object().into_iter().flatten() {
        let described = resolve(described);
        match header(name) {
            Some(value) => {
                let is_valid = validator(&described["schema"]).is_valid(&json!(value));
                assert!(is_valid, "{context}: {name}: {value}");
            }
            None => assert_ne!(described["required"], true, "{context}: no {name}"),
        }
    }
    match response["content"].get(content_type) {
        Some(_) if method == "HEAD" => {}
        Some(content) if content_type.ends_with("json") && !content_type.contains("ndjson") => {
            is_instance(&context, &content["schema"], body);
        }
        Some(_) => {}
        None => assert!(
            content_type.is_empty() && response.get("content").is_none(),
            "{context}: not as {content_type:?}"
        ),
    }
}

#[track_caller]
fn is_response(context: &str, name: &str, body: &[u8], method: &str) {
    if method != "HEAD" {
        let response = &DOCUMENT["components"]["responses"][name];
        let schema = &response["content"]["application/problem+json"]["schema"];
        is_instance(context, schema, body);
    }
}

#[track_caller]
fn is_instance(context: &str, schema: &Value, body: &[u8]) {
    let instance: Value = serde_json::from_slice(body).expect("a JSON body");
    if let Err(error) = validator(schema).validate(&instance) {
        panic!(
            "{context}: {error} at {}\n{instance}",
            error.instance_path()
        );
    }
}
