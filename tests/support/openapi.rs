//! Reads `openapi.yaml` and validates values against its schemas.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../openapi.yaml")).expect("openapi.yaml is YAML")
});

/// Follows references within the document.
pub(crate) fn resolve(mut node: &'static Value) -> &'static Value {
    while let Some(reference) = node["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        let target = DOCUMENT.pointer(pointer);
        node = target.unwrap_or_else(|| panic!("{reference} leads nowhere"));
    }
    node
}

/// The path templates of the document.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    paths.keys().map(String::as_str)
}

/// The validator for this schema of the document. Each one is built once.
pub(crate) fn validator(schema: &Value) -> Arc<Validator> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS
        .lock()
        .expect("no thread panicked while it held the lock");
    let known = validators.entry(schema.to_string());
    known
        .or_insert_with(|| {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": DOCUMENT["components"],
                "allOf": [schema],
            });
            let made = jsonschema::options()
                .should_validate_formats(true)
                .build(&whole);
            Arc::new(made.unwrap_or_else(|error| panic!("{schema}: {error}")))
        })
        .clone()
}
