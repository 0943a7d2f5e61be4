//! Checks the direction of imports, by parsing the sources: which module may import which, which
//! crates the domain may use, and that every file says what it is for.

#[path = "support/imports.rs"]
mod imports;
#[path = "support/sources.rs"]
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use imports::{Imports, imports};
use sources::{Source, root, source, sources};

/// The top-level modules, each with the modules of this crate that it may import. Add new modules here.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("backoff", &[]),
    ("domain", &[]),
    ("drawing", &["domain"]),
    ("outage_log", &[]),
    ("panics", &[]),
    ("sqlite_file", &[]),
    ("telemetry", &["outage_log"]),
    ("event_store", &["backoff", "panics", "sqlite_file"]),
    ("application", &["backoff", "domain", "event_store"]),
    ("metrics", &["outage_log", "telemetry", "event_store"]),
    ("live", &["backoff", "panics", "application", "event_store"]),
    (
        "read_model",
        &[
            "backoff",
            "panics",
            "sqlite_file",
            "domain",
            "event_store",
            "application",
        ],
    ),
    (
        "computer",
        &[
            "backoff",
            "panics",
            "domain",
            "event_store",
            "application",
            "metrics",
            "read_model",
        ],
    ),
    (
        "http",
        &[
            "telemetry",
            "backoff",
            "domain",
            "drawing",
            "event_store",
            "application",
            "metrics",
            "live",
            "read_model",
            "computer",
        ],
    ),
    ("client", &["backoff", "domain"]),
    ("terminal", &["domain", "drawing", "client"]),
    ("server", &["http", "metrics"]),
    (
        "cli",
        &[
            "backoff",
            "domain",
            "computer",
            "event_store",
            "application",
            "read_model",
            "http",
            "server",
            "telemetry",
            "terminal",
        ],
    ),
];

/// The crates that the domain may use. The two of ICU4X are tables of the Unicode standard, compiled
/// in: the rule for names depends on them, and they do no I/O.
const DOMAIN_CRATES: &[&str] = &["icu_normalizer", "icu_properties", "serde", "thiserror"];

/// What pure code may not use, because its results would depend on the time, the machine or the task.
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

#[test]
fn imports_between_modules_follow_the_allowed_list() {
    for file in sources("src") {
        for known in file.knows() {
            let module = file.top_level_module();
            assert!(
                may_know(module, &known),
                "{}: `{module}` may not import `{known}`",
                file.path
            );
        }
    }
}

#[test]
fn every_module_is_in_the_allowed_list_and_declared_after_its_imports() {
    let lib = source("src/lib.rs");
    let modules = lib.code.lines().filter_map(|line| {
        let declared = line.trim_start_matches("pub ").strip_prefix("mod ")?;
        declared.strip_suffix(';')
    });
    let mut earlier = BTreeSet::new();
    for module in modules {
        assert!(
            MAY_KNOW.iter().any(|(name, _)| *name == module),
            "`{module}` is missing in tests/architecture.rs"
        );
        earlier.insert(module);
        for file in sources("src")
            .iter()
            .filter(|file| file.top_level_module() == module)
        {
            for known in file.knows() {
                assert!(
                    earlier.contains(known.as_str()),
                    "src/lib.rs lists `{module}` before `{known}`, which it imports"
                );
            }
        }
    }
}

#[test]
fn the_domain_uses_only_the_allowed_crates() {
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
                "{}: the domain may not use `{name}`",
                file.path
            );
        }
    }
}

#[test]
fn the_domain_and_the_solver_are_pure() {
    let files = domain().into_iter().chain(sources("src/computer/solver"));
    for file in files {
        for word in IMPURE {
            assert!(!file.has(word), "{}: `{word}` in pure code", file.path);
        }
    }
}

#[test]
fn only_one_file_imports_both_games_and_stored_events() {
    let both: Vec<_> = sources("src")
        .into_iter()
        .filter(|file| file.has("GameEvent"))
        .filter(|file| file.has("NewEvent") || file.has("RecordedEvent"))
        .map(|file| file.path)
        .collect();
    assert_eq!(both, ["src/application/game_repository.rs"]);
}

#[test]
fn every_file_begins_with_a_comment_that_says_what_it_is_for() {
    for file in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        assert!(file.text.starts_with("//! "), "{} has no `//!`", file.path);
    }
}

#[test]
fn no_two_files_import_each_other_directly_or_indirectly() {
    let files = imports(&sources("src"));
    assert!(files.values().map(BTreeSet::len).sum::<usize>() > 300);
    assert_eq!(cycles(&files), Vec::<Vec<String>>::new());
}

#[test]
fn within_each_folder_imports_point_one_way() {
    let files = imports(&sources("src"));
    let folders: BTreeSet<_> = files.keys().filter_map(|file| folder_of(file)).collect();
    let cycles: Vec<_> = folders
        .into_iter()
        .flat_map(|folder| cycles(&within(folder, &files)))
        .collect();
    assert_eq!(cycles, Vec::<Vec<String>>::new());
}

#[test]
fn the_check_finds_a_cycle_in_every_form_of_import() {
    let source = |path: &str, text: &str| Source::new(path.to_owned(), text.to_owned());
    let top = "pub mod a; pub mod b; pub use a::One;";
    for (a, b, is_cycle) in [
        (
            "use crate::b::Two; struct One;",
            "use crate::One; struct Two;",
            true,
        ),
        (
            "use super::b::Two; struct One;",
            "struct Two(crate::a::One);",
            true,
        ),
        (
            "use crate::b::{self, Two}; struct One;",
            "fn f() { super::a::f() }",
            true,
        ),
        (
            "use crate::b::*; struct One;",
            "use super::{a::One as Other};",
            true,
        ),
        ("use crate::b::Two; struct One;", "struct Two;", false),
        (
            "use crate::b::Two; struct One;",
            "struct Two; #[cfg(test)] mod tests { use crate::One; }",
            false,
        ),
    ] {
        let files = [
            source("src/lib.rs", top),
            source("src/a.rs", a),
            source("src/b.rs", b),
        ];
        assert_eq!(!cycles(&imports(&files)).is_empty(), is_cycle, "{a} {b}");
    }
}

/// The folder of a file, relative to `src`.
fn folder_of(file: &str) -> Option<&str> {
    file.rsplit_once('/').map(|(folder, _)| folder)
}

/// The imports between the entries of a folder: its files, and its folders as a whole.
fn within(folder: &str, files: &Imports) -> Imports {
    let entry = |file: &str| {
        let below = file.strip_prefix(folder)?.strip_prefix('/')?;
        let name = below.split('/').next().unwrap_or(below);
        Some(format!("{folder}/{name}"))
    };
    let mut entries = BTreeMap::<String, BTreeSet<String>>::new();
    for (file, imported) in files {
        let Some(from) = entry(file) else { continue };
        let to = imported.iter().filter_map(|file| entry(file));
        let to = to.filter(|to| *to != from);
        entries.entry(from.clone()).or_default().extend(to);
    }
    entries
}

/// Each set of files that import each other, directly or indirectly.
fn cycles(files: &Imports) -> Vec<Vec<String>> {
    let reachable = |from: &String| {
        let mut found = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for next in files.get(file).into_iter().flatten() {
                if found.insert(next) {
                    open.push(next);
                }
            }
        }
        found
    };
    let reached: BTreeMap<_, _> = files.keys().map(|file| (file, reachable(file))).collect();
    let cycles: BTreeSet<Vec<String>> = files
        .keys()
        .filter(|file| reached[file].contains(file))
        .map(|file| {
            let others = files.keys().filter(|other| {
                reached[file].contains(other)
                    && reached.get(other).is_some_and(|back| back.contains(file))
            });
            others.cloned().collect()
        })
        .collect();
    cycles.into_iter().collect()
}

#[test]
fn the_check_finds_every_form_of_import() {
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
    // `lib.rs` and `main.rs` are not checked: they import everything that they put together.
    module == known
        || ["lib", "main"].contains(&module)
        || MAY_KNOW
            .iter()
            .any(|(name, others)| *name == module && others.contains(&known))
}

fn domain() -> Vec<Source> {
    sources("src/domain")
}
