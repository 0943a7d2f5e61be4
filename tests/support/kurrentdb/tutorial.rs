//! Streams as the Python tutorial stores them (`tests/fixtures/python_tutorial`).

use bytes::Bytes;
use uuid::Uuid;

use super::Double;
use super::stored::Proposal;
use super::wire::{Empty, Expected};

/// The events of a fixture, in the order in which the tutorial stored them.
pub fn events(fixture: &str) -> Vec<Proposal> {
    let directory = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/python_tutorial"
    );
    let path = format!("{directory}/{fixture}.tsv");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let event = |line: &str| {
        let (id, rest) = line.split_once('\t')?;
        let (event_type, data) = rest.split_once('\t')?;
        Some(Proposal {
            id: id.parse().ok()?,
            event_type: event_type.to_owned(),
            content_type: "application/json".to_owned(),
            data: Bytes::copy_from_slice(data.as_bytes()),
            metadata: Bytes::new(),
        })
    };
    text.lines()
        .map(|line| event(line).unwrap_or_else(|| panic!("{path}: {line}")))
        .collect()
}

impl Double {
    /// Stores a fixture as the tutorial stores a game: one append for each event, at any revision.
    pub fn store_tutorial_game(&self, fixture: &str) -> String {
        let stream = format!("game-{}", Uuid::now_v7());
        for event in events(fixture) {
            self.store(&stream, Expected::Any(Empty {}), vec![event]);
        }
        stream
    }
}
