//! Files that earlier versions of the program wrote. `version-1.sqlite3` was written by the first version
//! and is never changed: a game with three moves and a resignation. With each new version of the
//! tables, add a file that the version before it wrote.

use std::fs;
use std::path::Path;

use connect_four::event_store::{EventStore, StreamName, StreamRevision};
use rusqlite::Connection;

use super::TempFile;
use crate::support::{at, head_of, new_events, soon};

/// The events of the file: type, data and metadata.
const EVENTS: [(&str, &str, &str); 5] = [
    (
        "GameStarted",
        r#"{"player_one":"ada","player_two":"grace"}"#,
        "",
    ),
    ("MoveMade", r#"{"player":"ada","column":"D"}"#, ""),
    ("MoveMade", r#"{"player":"grace","column":"E"}"#, ""),
    ("MoveMade", r#"{"player":"ada","column":"D"}"#, ""),
    (
        "GameFinished",
        r#"{"result":"PLAYER_ONE_WON"}"#,
        r#"{"reason":"resignation","player":"grace"}"#,
    ),
];

/// When the first event was recorded, and its id.
const FIRST_TIME: i64 = 1_795_760_240_341_927;
const FIRST_ID: &str = "ba1900c5-f3ac-5468-b3b3-63fc31620bbc";

#[tokio::test]
async fn a_file_of_version_1_keeps_all_its_events_and_takes_new_ones() {
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sqlite/version-1.sqlite3");
    let file = TempFile::new();
    fs::copy(fixture, file.path()).expect("a writable directory");
    let version = |file: &TempFile| {
        let tool = Connection::open(file.path()).expect("a database");
        let version = tool.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
        version.expect("a version")
    };
    assert_eq!(version(&file), 1);

    let stream = StreamName::new("game-5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12");
    let stream = stream.expect("it is not empty");
    for appended in 0..2 {
        let store = file.open().await;
        let slice = soon(store.read_stream(&stream, StreamRevision::FIRST)).await;
        let events = slice.expect("a stream").events;
        assert_eq!(events.len(), EVENTS.len() + appended);
        for (number, (event, (event_type, data, metadata))) in (0..).zip(events.iter().zip(EVENTS))
        {
            assert_eq!(event.event_type, event_type);
            assert_eq!(event.data, data);
            assert_eq!(event.metadata, metadata);
            assert_eq!(event.revision.number(), number);
            assert_eq!(event.position.to_string(), (number + 1).to_string());
        }
        assert_eq!(events[0].id.to_string(), FIRST_ID);
        assert_eq!(events[0].recorded_at.timestamp_micros(), FIRST_TIME);
        let last = events.last().map(|event| event.position);
        assert_eq!(head_of(&store).await, last);

        let next = at(events.len() as u64 - 1);
        let appended = soon(store.append(&stream, next, new_events(1))).await;
        appended.expect("the file can be written");
    }
}
