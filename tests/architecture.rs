//! The direction of the dependencies, read from the sources: which module may know which,
//! what the domain may know at all, and what a file looks like.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The top-level modules and those of ours that each may know. A new module is placed here.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("drawing", &["domain"]),
    ("event_store", &[]),
    ("application", &["domain", "event_store"]),
    ("metrics", &["event_store"]),
    ("live", &["application", "event_store"]),
    ("read_model", &["domain", "event_store", "application"]),
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
    ("config", &["terminal"]),
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
const LONG_FILES: &[(&str, &str)] = &[(
    "tests/event_store/contract.rs",
    "one suite, so that a store that signs it signs all of it",
)];

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

/// A source file.
struct Source {
    path: String,
    text: String,
    /// The text without its comments.
    code: String,
}

impl Source {
    fn new(path: String, text: String) -> Source {
        let code: Vec<_> = text
            .lines()
            .map(|line| match line.trim_start().starts_with("//") {
                true => "",
                false => line.split_once(" // ").map_or(line, |(code, _)| code),
            })
            .collect();
        let code = format!("\n{}", code.join("\n"));
        Source { path, text, code }
    }

    /// The names of the modules around this file's items, from the top level inwards.
    fn modules(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').collect()
    }

    fn top_level_module(&self) -> &str {
        self.modules()[0]
    }

    /// The other top-level names of this crate that the code mentions: by `crate::`, or in an
    /// import by as many `super::` as lead there. (Indented imports are a test module's,
    /// whose `super::` leads elsewhere.)
    fn knows(&self) -> BTreeSet<String> {
        let to_the_top = format!("\nuse {}", "super::".repeat(self.modules().len()));
        ["crate::", &to_the_top]
            .iter()
            .flat_map(|prefix| self.after(prefix))
            .flat_map(|path| match path.strip_prefix('{') {
                Some(group) => members(group),
                None => vec![word(path)],
            })
            .filter(|name| *name != self.top_level_module())
            .filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase()))
            .map(str::to_owned)
            .collect()
    }

    /// The code after each occurrence of this beginning of a path.
    fn after(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.occurrences(prefix)
            .filter(|(before, _)| !before.ends_with(':'))
            .map(|(_, after)| after)
    }

    /// Whether the code has this text, not as a part of a longer word.
    fn has(&self, text: &str) -> bool {
        self.occurrences(text)
            .any(|(_, after)| text.ends_with(is_no_word) || !after.starts_with(is_word))
    }

    /// The code before and after each occurrence of the text, but for ends of longer words.
    fn occurrences(&self, text: &str) -> impl Iterator<Item = (&str, &str)> {
        self.code
            .match_indices(text)
            .map(move |(at, found)| (&self.code[..at], &self.code[at + found.len()..]))
            .filter(|(before, _)| !before.ends_with(is_word))
    }
}

/// The first names of the members of a group of imports, whose opening brace is gone.
fn members(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut names = vec![word(group.trim_start())];
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(word(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> &str {
    text.split(is_no_word).next().unwrap_or(text)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_no_word(letter: char) -> bool {
    !is_word(letter)
}

fn domain() -> Vec<Source> {
    sources("src/domain")
}

/// All Rust files in this folder and below.
fn sources(folder: &str) -> Vec<Source> {
    let mut entries: Vec<_> = fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("an entry of a folder"))
        .collect();
    entries.sort_by_key(fs::DirEntry::path);
    entries
        .into_iter()
        .flat_map(|entry| {
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            let path = format!("{folder}/{name}");
            if entry.path().is_dir() {
                sources(&path)
            } else if name.ends_with(".rs") {
                vec![source(&path)]
            } else {
                vec![]
            }
        })
        .collect()
}

fn source(path: &str) -> Source {
    let text = fs::read_to_string(root().join(path)).expect("a source file");
    Source::new(path.to_owned(), text)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
