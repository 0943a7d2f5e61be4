//! `docs/tour.md` quotes code that exists, and stays short enough to be read.

#[path = "support/sources.rs"]
#[expect(dead_code, reason = "the tour needs the root and not the sources")]
mod sources;

use std::fs;

use sources::root;

const MOST_STOPS: usize = 12;
const MOST_LINES: usize = 10;

struct Stop {
    title: String,
    path: String,
    quote: Vec<String>,
}

/// A stop is a heading `## 1. …`, then a line with a path in backquotes, then a block of Rust.
fn stops() -> Vec<Stop> {
    let tour = fs::read_to_string(root().join("docs/tour.md")).expect("docs/tour.md");
    let sections = tour.split("\n## ").skip(1);
    sections
        .filter(|section| section.starts_with(|first: char| first.is_ascii_digit()))
        .map(|section| {
            let title = section.lines().next().expect("a heading").to_owned();
            let path = section
                .lines()
                .find_map(|line| line.strip_prefix("`src/")?.strip_suffix('`'))
                .unwrap_or_else(|| panic!("{title}: no file is named"));
            let quote = section
                .split_once("```rust\n")
                .and_then(|(_, rest)| rest.split_once("\n```"))
                .unwrap_or_else(|| panic!("{title}: no code is quoted"))
                .0;
            Stop {
                path: format!("src/{path}"),
                quote: trimmed(quote),
                title,
            }
        })
        .collect()
}

/// The lines without their indentation, which depends on where the code stands.
fn trimmed(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_line_that_the_tour_quotes_is_in_the_sources() {
    for stop in stops() {
        let source = fs::read_to_string(root().join(&stop.path))
            .unwrap_or_else(|error| panic!("{}: {}: {error}", stop.title, stop.path));
        let source = trimmed(&source);
        assert!(
            source
                .windows(stop.quote.len())
                .any(|lines| lines == stop.quote),
            "{}: {} does not contain these lines any more:\n{}",
            stop.title,
            stop.path,
            stop.quote.join("\n")
        );
    }
}

#[test]
fn the_tour_has_at_most_twelve_stops_of_at_most_ten_lines() {
    let stops = stops();
    assert!(!stops.is_empty() && stops.len() <= MOST_STOPS);
    for stop in stops {
        assert!(stop.quote.len() <= MOST_LINES, "{}", stop.title);
    }
}
