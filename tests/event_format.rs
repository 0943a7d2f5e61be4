//! The stored format of events never changes. `tests/golden` contains events that earlier versions
//! and the tutorial's Python programs have written.

use std::collections::BTreeSet;
use std::fs;

use chrono::{DateTime, Utc};
use connect_four::application::{DecodeError, Seats, decode, encode, upcast};
use connect_four::domain::{Column, GameEvent, GameResult, PlayerName};
use connect_four::event_store::{RecordedEvent, StreamName, StreamRevision};
use uuid::Uuid;

/// The golden files, each with the event in it. The file name begins with the event's type, and
/// contains `python` if the tutorial wrote the file.
fn golden_files() -> Vec<(&'static str, GameEvent)> {
    let alice_and_bob = started("Alice", "Bob");
    let beyond_ascii = started("Zoë \"the quick\"", "🔴\\");
    let alice_to_d = moved("Alice", Column::D);
    let beyond_latin = moved("玩家一", Column::G);
    vec![
        ("GameStarted.json", alice_and_bob.clone()),
        ("GameStarted.protected.json", alice_and_bob.clone()),
        ("GameStarted.python.json", alice_and_bob),
        ("GameStarted.unicode.json", beyond_ascii.clone()),
        ("GameStarted.unicode.python.json", beyond_ascii),
        ("MoveMade.json", alice_to_d.clone()),
        ("MoveMade.python.json", alice_to_d),
        ("MoveMade.unicode.json", beyond_latin.clone()),
        ("MoveMade.unicode.python.json", beyond_latin),
        (
            "GameFinished.player_one_won.json",
            finished(GameResult::PlayerOneWon),
        ),
        (
            "GameFinished.player_two_won.json",
            finished(GameResult::PlayerTwoWon),
        ),
        ("GameFinished.tied.json", finished(GameResult::Tied)),
        ("GameFinished.tied.python.json", finished(GameResult::Tied)),
    ]
}

/// The metadata of the event in the file without this ending. `tests/api/protected_games.rs` plays that game.
const METADATA: &str = ".metadata.json";

#[test]
fn events_that_earlier_versions_wrote_are_decoded() {
    for (file, event) in golden_files() {
        assert_eq!(
            decode(event_type(file), golden(file).as_bytes()).expect(file),
            event,
            "{file}"
        );
    }
}

#[test]
fn events_are_encoded_to_the_same_bytes_as_in_earlier_versions() {
    for (file, event) in golden_files() {
        let (event_type_written, data) = encode(&event);
        assert_eq!(event_type_written, event_type(file), "{file}");
        if !file.contains(".python.") {
            let written = str::from_utf8(&data).expect("JSON is UTF-8");
            assert_eq!(written, golden(file), "{file}");
        }
    }
}

/// The metadata of an event where it was first recorded, and after it was copied to another store.
const COPY_METADATA: [&str; 2] = ["metadata.json", "metadata.copied.json"];

#[test]
fn a_copied_event_has_the_time_at_which_it_was_first_recorded_and_is_written_as_in_earlier_versions()
 {
    let first: DateTime<Utc> = "2026-11-23T06:50:12.415211Z".parse().expect("a time");
    let later: DateTime<Utc> = "2026-11-25T01:10:12Z".parse().expect("a time");
    let event = |file, recorded_at| RecordedEvent {
        id: Uuid::from_u128(1),
        stream: StreamName::new("game-1").expect("a name"),
        revision: StreamRevision::FIRST,
        position: "1".parse().expect("a position"),
        event_type: "MoveMade".into(),
        data: golden("MoveMade.json").into(),
        metadata: golden(file).into(),
        recorded_at,
    };
    let [original, copied] = COPY_METADATA;
    let (original, copied) = (event(original, first), event(copied, later));
    assert_eq!(upcast::recorded_at(&original), first);
    assert_eq!(upcast::recorded_at(&copied), first);
    assert_eq!(upcast::metadata_of_copy(&original), copied.metadata);
    assert_eq!(upcast::metadata_of_copy(&copied), copied.metadata);
    assert!(upcast::is_copy(&original, &copied));
}

#[test]
fn every_golden_file_is_tested() {
    let looked_at: BTreeSet<_> = golden_files()
        .into_iter()
        .map(|(file, _)| file.to_owned())
        .chain(COPY_METADATA.map(str::to_owned))
        .collect();
    let there: BTreeSet<_> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
        .expect("the folder of golden files")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|file| file.into_string().expect("a file name in UTF-8"))
        .map(|file| match file.strip_suffix(METADATA) {
            Some(event) => format!("{event}.json"),
            None => file,
        })
        .collect();
    assert_eq!(there, looked_at);
}

/// The tutorial's programs read the data alone, and know its members only.
#[test]
fn a_protected_game_differs_from_others_in_the_metadata_of_its_start_alone() {
    assert_eq!(
        golden("GameStarted.protected.json"),
        golden("GameStarted.json")
    );
    let metadata = golden("GameStarted.protected.metadata.json");
    assert!(Seats::of_metadata(metadata.as_bytes()).is_some());
    assert!(Seats::of_metadata(b"").is_none());
}

#[test]
fn unknown_members_are_ignored() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (event_type, data, event) in [
        (
            "GameStarted",
            r#"{"version":2,"player_one":"Alice","player_two":"Bob","rated":null}"#,
            started("Alice", "Bob"),
        ),
        (
            "MoveMade",
            &format!(r#"{{"column":"D","thoughts":{deep},"player":"Alice"}}"#),
            moved("Alice", Column::D),
        ),
        (
            "GameFinished",
            r#"{"result":"TIED","reason":{"draw":["offered","accepted"]}}"#,
            finished(GameResult::Tied),
        ),
    ] {
        assert_eq!(
            decode(event_type, data.as_bytes()).expect("a known event"),
            event,
            "{data}"
        );
    }
}

/// The tutorial does not check names, so stored names may be ones that this API would refuse.
#[test]
fn stored_names_may_be_any_text() {
    let long = "n".repeat(100_000);
    for name in ["", " ", "line\nbreak\0", &long] {
        let event = started(name, name);
        let (event_type, data) = encode(&event);
        assert_eq!(decode(event_type, &data).expect("an encoded event"), event);
    }
}

#[test]
fn an_unknown_event_type_is_an_error_with_its_name() {
    for unknown in ["", "gamestarted", "MoveMade ", "GameResigned", "$>"] {
        let error = decode(unknown, br#"{"result":"TIED"}"#);
        assert!(
            matches!(&error, Err(DecodeError::UnknownType(name)) if name == unknown),
            "{unknown:?}: {error:?}"
        );
    }
}

#[test]
fn data_that_does_not_match_the_event_type_is_an_error() {
    let for_any_type = [
        "", " ", "null", "true", "1", "[]", "{}", "\"TIED\"", "{", "\0",
    ];
    for event_type in ["GameStarted", "MoveMade", "GameFinished"] {
        for data in for_any_type {
            is_undecodable(event_type, data.as_bytes());
        }
    }
    for (event_type, data) in [
        ("GameStarted", r#"{"player_one":"Alice"}"#),
        ("GameStarted", r#"{"player_one":"Alice","player_two":null}"#),
        ("GameStarted", r#"{"player_one":"Alice","player_two":2}"#),
        (
            "GameStarted",
            r#"{"player_one":"Alice","player_two":["Bob"]}"#,
        ),
        (
            "GameStarted",
            r#"{"Player_One":"Alice","player_two":"Bob"}"#,
        ),
        ("GameStarted", r#"{"player_one":"Alice","player_two":"Bob""#),
        (
            "GameStarted",
            r#"{"player_one":"Alice","player_two":"\ud83d"}"#,
        ),
        (
            "GameStarted",
            "{\"player_one\":\"Alice\",\"player_two\":\"\n\"}",
        ),
        ("GameStarted", r#"["Alice","Bob"]"#),
        ("MoveMade", r#"{"player":"Alice"}"#),
        ("MoveMade", r#"{"column":"D"}"#),
        ("MoveMade", r#"{"player":"Alice","column":"H"}"#),
        ("MoveMade", r#"{"player":"Alice","column":"d"}"#),
        ("MoveMade", r#"{"player":"Alice","column":""}"#),
        ("MoveMade", r#"{"player":"Alice","column":3}"#),
        ("MoveMade", r#"{"player":"Alice","column":null}"#),
        ("MoveMade", r#"{"player":"Alice","column":{"D":null}}"#),
        ("MoveMade", r#"["Alice","D"]"#),
        (
            "MoveMade",
            r#"{"player":"Alice","player":"Bob","column":"D"}"#,
        ),
        ("GameFinished", r#"{"result":null}"#),
        ("GameFinished", r#"{"result":"tied"}"#),
        ("GameFinished", r#"{"result":"PLAYER_THREE_WON"}"#),
        ("GameFinished", r#"{"result":{"TIED":null}}"#),
        ("GameFinished", r#"["TIED"]"#),
        ("GameFinished", r#"{"result":"TIED"}{"result":"TIED"}"#),
        ("GameFinished", "\u{feff}{\"result\":\"TIED\"}"),
    ] {
        is_undecodable(event_type, data.as_bytes());
    }
    is_undecodable("MoveMade", b"{\"player\":\"\xff\",\"column\":\"D\"}");
    is_undecodable("MoveMade", "[".repeat(1_000_000).as_bytes());
    let deep = format!(r#"{{"result":{}"#, r#"{"":"#.repeat(1_000_000));
    is_undecodable("GameFinished", deep.as_bytes());
}

#[track_caller]
fn is_undecodable(event_type: &str, data: &[u8]) {
    let shown = String::from_utf8_lossy(&data[..data.len().min(99)]);
    let decoded = decode(event_type, data);
    assert!(
        matches!(decoded, Err(DecodeError::Data(_))),
        "{event_type} {shown}: {decoded:?}"
    );
}

/// The content of the file, without the line break at its end, which is not part of the event.
fn golden(file: &str) -> String {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).expect("a golden file");
    text.strip_suffix('\n').expect("a line break").to_owned()
}

fn event_type(file: &str) -> &str {
    file.split('.').next().expect("a type")
}

fn started(player_one: &str, player_two: &str) -> GameEvent {
    GameEvent::GameStarted {
        player_one: name(player_one),
        player_two: name(player_two),
    }
}

fn moved(player: &str, column: Column) -> GameEvent {
    GameEvent::MoveMade {
        player: name(player),
        column,
    }
}

fn finished(result: GameResult) -> GameEvent {
    GameEvent::GameFinished { result }
}

fn name(text: &str) -> PlayerName {
    serde_json::from_value(text.into()).expect("any text is a stored name")
}
