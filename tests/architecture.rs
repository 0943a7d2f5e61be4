//! The direction of the dependencies, read from the sources: which module may know which,
//! what the domain may know at all, and what a file looks like.

#[path = "support/sources.rs"]
mod sources;

use std::collections::BTreeSet;
use std::fs;

use sources::{Source, root, source, sources};

/// The top-level modules and those of ours that each may know. A new module is placed here.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("drawing", &["domain"]),
    ("database_lock", &[]),
    ("event_store", &["database_lock"]),
    ("application", &["domain", "event_store"]),
    ("metrics", &["event_store"]),
    ("live", &["application", "event_store"]),
    (
        "read_model",
        &["database_lock", "domain", "event_store", "application"],
    ),
    (
        "http",
        &[
            "domain",
            "drawing",
            "event_store",
            "application",
            "metrics",
            "live",
            "read_model",
        ],
    ),
    ("client", &["domain"]),
    ("terminal", &["domain", "drawing", "client"]),
    ("health", &[]),
    ("config", &["read_model", "terminal"]),
    ("rebuild", &["event_store", "read_model", "config"]),
    ("telemetry", &["config"]),
    (
        "server",
        &[
            "domain",
            "event_store",
            "application",
            "metrics",
            "live",
            "read_model",
            "http",
            "config",
            "telemetry",
        ],
    ),
];

/// The crates that the domain may know.
const DOMAIN_CRATES: &[&str] = &["serde", "thiserror"];

/// What would make the rules depend on when, where or in which task they are asked.
const IMPURE: &[&str] = &[
    "async",
    "await",
    "SystemTime",
    "Instant",
    "std::time",
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::thread",
    "std::process",
    "println!",
    "eprintln!",
    "static mut",
];

const LONGEST_FILE: usize = 350;

/// Longer than that, for a reason.
const LONG_FILES: &[(&str, &str)] = &[
    (
        "tests/event_store/contract.rs",
        "one suite, so that a store that signs it signs all of it",
    ),
    (
        "tests/architecture.rs",
        "one table of all modules, and how the sources are held to it",
    ),
];

#[test]
fn dependencies_point_one_way() {
    for file in sources("src") {
        for known in file.knows() {
            let module = file.top_level_module();
            assert!(
                may_know(module, &known),
                "{}: `{module}` may not know `{known}`",
                file.path
            );
        }
    }
}

#[test]
fn every_module_has_its_place() {
    let lib = source("src/lib.rs");
    let modules = lib.code.lines().filter_map(|line| {
        let declared = line.trim_start_matches("pub ").strip_prefix("mod ")?;
        declared.strip_suffix(';')
    });
    let mut earlier = BTreeSet::new();
    for module in modules {
        assert!(
            MAY_KNOW.iter().any(|(name, _)| *name == module),
            "`{module}` has no place in tests/architecture.rs"
        );
        earlier.insert(module);
        for file in sources("src")
            .iter()
            .filter(|file| file.top_level_module() == module)
        {
            for known in file.knows() {
                assert!(
                    earlier.contains(known.as_str()),
                    "src/lib.rs lists `{module}` before `{known}`, which it knows"
                );
            }
        }
    }
}

#[test]
fn the_domain_knows_no_crate_but_those_that_describe_data() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let dependencies = manifest
        .split("\n[")
        .find_map(|section| section.strip_prefix("dependencies]"))
        .expect("a table of dependencies");
    for file in domain() {
        for line in dependencies.lines().filter(|line| line.contains('=')) {
            let name = line.split('=').next().unwrap_or(line).trim();
            let name = name.replace('-', "_");
            assert!(
                DOMAIN_CRATES.contains(&&name[..]) || !file.has(&format!("{name}::")),
                "{}: the domain may not know `{name}`",
                file.path
            );
        }
    }
}

#[test]
fn the_domain_is_pure() {
    for file in domain() {
        for word in IMPURE {
            assert!(!file.has(word), "{}: `{word}` in the domain", file.path);
        }
    }
}

#[test]
fn only_one_file_knows_both_games_and_stored_events() {
    let both: Vec<_> = sources("src")
        .into_iter()
        .filter(|file| file.has("GameEvent"))
        .filter(|file| file.has("NewEvent") || file.has("RecordedEvent"))
        .map(|file| file.path)
        .collect();
    assert_eq!(both, ["src/application/game_stream.rs"]);
}

#[test]
fn a_file_opens_by_saying_what_it_is_for_and_is_not_long() {
    for file in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        assert!(file.text.starts_with("//! "), "{} has no `//!`", file.path);
        let lines = file.text.lines().count();
        let is_known = LONG_FILES.iter().any(|(path, _)| *path == file.path);
        assert!(
            lines <= LONGEST_FILE || is_known,
            "{} has {lines} lines; {LONGEST_FILE} are enough",
            file.path
        );
    }
}

#[test]
fn what_a_file_knows_is_found_however_it_is_written() {
    for (path, text, knows) in [
        ("src/a/b.rs", "use crate::http::Problem;", &["http"][..]),
        (
            "src/a/b.rs",
            "use crate::{\n    live::{Hub, crate_of},\n    config,\n};",
            &["config", "live"],
        ),
        (
            "src/a/b.rs",
            "fn f() -> crate::domain::Game {}",
            &["domain"],
        ),
        ("src/a/b.rs", "use super::super::server;", &["server"]),
        ("src/a/mod.rs", "use super::server;", &["server"]),
        ("src/a/b/mod.rs", "use super::super::server;", &["server"]),
        ("src/a.rs", "use super::server;", &["server"]),
        ("src/a/b.rs", "use super::server;", &[]),
        ("src/a/b/c.rs", "use super::super::server;", &[]),
        (
            "src/a/b.rs",
            "// use crate::http;\n//! [`crate::http`]",
            &[],
        ),
        (
            "src/a/b.rs",
            "mod tests {\n    use super::super::server;",
            &[],
        ),
        ("src/a/b.rs", "mycrate::http();", &[]),
    ] {
        let found = Source::new(path.to_owned(), text.to_owned()).knows();
        assert_eq!(found.iter().collect::<Vec<_>>(), knows, "{path}: {text}");
    }
}

fn may_know(module: &str, known: &str) -> bool {
    // `lib.rs` and `main.rs` are no modules of their own: they know what they put together.
    module == known
        || ["lib", "main"].contains(&module)
        || MAY_KNOW
            .iter()
            .any(|(name, others)| *name == module && others.contains(&known))
}

fn domain() -> Vec<Source> {
    sources("src/domain")
}
