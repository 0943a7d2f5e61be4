//! `openapi.yaml`, read, and what judges by its schemas.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../openapi.yaml")).expect("openapi.yaml is YAML")
});

/// What a reference within the document leads to.
pub(crate) fn resolve(mut node: &'static Value) -> &'static Value {
    while let Some(reference) = node["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        let target = DOCUMENT.pointer(pointer);
        node = target.unwrap_or_else(|| panic!("{reference} leads nowhere"));
    }
    node
}

/// The templates of all paths.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    paths.keys().map(String::as_str)
}

/// What judges by this schema of the document. Made once each.
pub(crate) fn validator(schema: &Value) -> Arc<Validator> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS.lock().expect("no holder of the lock panics");
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
