//! Reads source files, and finds the modules of this crate that they use.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A source file.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text without its comments.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(path: String, text: String) -> Source {
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

    /// The names of the modules that contain this file's items, from the outermost to the innermost.
    pub(crate) fn modules(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').collect()
    }

    pub(crate) fn top_level_module(&self) -> &str {
        self.modules()[0]
    }

    /// The other top-level modules of this crate that the code names: after `crate::`, or in an import with
    /// enough `super::` to reach the root. (An indented import belongs to a test module. Its `super::` means
    /// another module, so it is not counted.)
    pub(crate) fn knows(&self) -> BTreeSet<String> {
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

    /// The code that follows each occurrence of this prefix of a path.
    fn after(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.occurrences(prefix)
            .filter(|(before, _)| !before.ends_with(':'))
            .map(|(_, after)| after)
    }

    /// Whether the code contains this text as a whole word.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.occurrences(text)
            .any(|(_, after)| text.ends_with(is_no_word) || !after.starts_with(is_word))
    }

    /// The code before and after each occurrence of the text that begins at the start of a word.
    fn occurrences(&self, text: &str) -> impl Iterator<Item = (&str, &str)> {
        self.code
            .match_indices(text)
            .map(move |(at, found)| (&self.code[..at], &self.code[at + found.len()..]))
            .filter(|(before, _)| !before.ends_with(is_word))
    }
}

/// The first name of each member of a group of imports. `group` begins after the opening brace.
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

/// All Rust files in this folder and its subfolders.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
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

pub(crate) fn source(path: &str) -> Source {
    let text = fs::read_to_string(root().join(path)).expect("a source file");
    Source::new(path.to_owned(), text)
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
