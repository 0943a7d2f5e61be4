//! Reads events that an earlier or another version stored as events of today. Stored data is never
//! changed: the difference is made up for at each read.
//!
//! There is one such difference. A store stamps every event with the time at which it recorded the
//! event itself. So an event that `connect-four copy` has moved to another store carries the time of
//! its first recording in its metadata. An event without that member was recorded where it is.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::event_store::RecordedEvent;

/// The member of the metadata with the time of the first recording (RFC 3339).
const MEMBER: &str = "first_recorded_at";

/// When the event was first recorded: in this store, or in the store that it was copied from.
pub fn recorded_at(recorded: &RecordedEvent) -> DateTime<Utc> {
    carried(&recorded.metadata).unwrap_or(recorded.recorded_at)
}

/// Removes the member from an event's metadata, for every reader outside this service. They read
/// the time as `recorded_at`.
pub fn remove_from(metadata: &mut Value) {
    if let Some(metadata) = metadata.as_object_mut()
        && time_in(metadata).is_some()
    {
        metadata.shift_remove(MEMBER);
    }
}

/// The metadata for a copy of the event: the same bytes, and the member in front of them. Unchanged
/// if the event already carries a time, and if the metadata cannot carry one because it is not a JSON
/// object. In the latter case a copy has the time at which it was copied.
pub fn metadata_of_copy(recorded: &RecordedEvent) -> Bytes {
    let metadata = &recorded.metadata;
    let Some(members) = members(metadata) else {
        return metadata.clone();
    };
    if carried(metadata).is_some() {
        return metadata.clone();
    }
    let time = recorded
        .recorded_at
        .to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let separator = match members.trim_ascii_start() {
        b"}" => "",
        _ => ",",
    };
    let mut copied = format!("{{\"{MEMBER}\":\"{time}\"{separator}").into_bytes();
    copied.extend_from_slice(members);
    copied.into()
}

/// Whether one of the events is a copy of the other, or both are copies of the same one: the same
/// id, place, type and data, the same metadata apart from the member, and the same time of the
/// first recording as far as it can be carried.
pub fn is_copy(one: &RecordedEvent, other: &RecordedEvent) -> bool {
    let is_same = (one.id, &one.stream, one.revision) == (other.id, &other.stream, other.revision)
        && one.event_type == other.event_type
        && one.data == other.data;
    if !is_same {
        return false;
    }
    if members(&one.metadata).is_none() || members(&other.metadata).is_none() {
        return one.metadata == other.metadata;
    }
    recorded_at(one) == recorded_at(other) && without_member(one) == without_member(other)
}

/// The metadata after its opening brace, or `}` if there is no metadata. `None` if it cannot carry a
/// time: it is not a JSON object, or another program uses the member's name.
fn members(metadata: &[u8]) -> Option<&[u8]> {
    if metadata.is_empty() {
        return Some(b"}");
    }
    let text = str::from_utf8(metadata).ok()?;
    let members = metadata.trim_ascii_start().strip_prefix(b"{")?;
    let is_free = match text.contains(MEMBER) {
        // The rest only has to be JSON, which is checked without building it.
        false => serde_json::from_str::<IgnoredAny>(text).is_ok(),
        true => {
            let object: Map<String, Value> = serde_json::from_str(text).ok()?;
            !object.contains_key(MEMBER) || time_in(&object).is_some()
        }
    };
    is_free.then_some(members)
}

/// The bytes of the metadata that were there before the event was copied. Absent metadata and an
/// empty object are the same.
fn without_member(recorded: &RecordedEvent) -> &[u8] {
    let Some(members) = members(&recorded.metadata) else {
        return &recorded.metadata;
    };
    let prefix = format!("\"{MEMBER}\":\"");
    let rest = members.strip_prefix(prefix.as_bytes()).and_then(|rest| {
        let end = rest.iter().position(|byte| *byte == b'"')?;
        Some(rest.get(end + 1..)?.trim_ascii_start())
    });
    match rest {
        Some(rest) => rest.strip_prefix(b",").unwrap_or(rest).trim_ascii(),
        None => members.trim_ascii(),
    }
}

fn carried(metadata: &[u8]) -> Option<DateTime<Utc>> {
    // Few events carry a time, and this is asked for each event that the read model applies.
    if !str::from_utf8(metadata).is_ok_and(|text| text.contains(MEMBER)) {
        return None;
    }
    time_in(&serde_json::from_slice(metadata).ok()?)
}

/// The time in the metadata; `None` if another program uses the name for something else.
fn time_in(metadata: &Map<String, Value>) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(metadata.get(MEMBER)?.as_str()?).ok()?;
    Some(time.to_utc())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::event_store::{StreamName, StreamRevision};

    fn event(metadata: &'static str, at: i64) -> RecordedEvent {
        RecordedEvent {
            id: Uuid::from_u128(7),
            stream: StreamName::new("game-1").expect("a name"),
            revision: StreamRevision::FIRST,
            position: "1".parse().expect("a position"),
            event_type: "MoveMade".into(),
            data: Bytes::from_static(b"{}"),
            metadata: Bytes::from_static(metadata.as_bytes()),
            recorded_at: DateTime::from_timestamp_micros(at).expect("a time"),
        }
    }

    fn copy(original: &RecordedEvent, at: i64) -> RecordedEvent {
        let metadata = metadata_of_copy(original);
        let recorded_at = DateTime::from_timestamp_micros(at).expect("a time");
        RecordedEvent {
            metadata,
            recorded_at,
            ..original.clone()
        }
    }

    #[test]
    fn a_copy_and_a_copy_of_it_keep_the_time_and_the_other_metadata() {
        for metadata in ["", "{}", "{ }", r#"{"a": 1}"#, " {\"b\":\t[2]\n} "] {
            let original = event(metadata, 1_000_001);
            let first = copy(&original, 2_000_000);
            let second = copy(&first, 3_000_000);
            assert_eq!(first.metadata, second.metadata);
            for copied in [first, second] {
                assert_eq!(recorded_at(&copied), original.recorded_at);
                assert!(is_copy(&original, &copied) && is_copy(&copied, &original));
                let mut shown: Value = serde_json::from_slice(&copied.metadata).expect("JSON");
                remove_from(&mut shown);
                let before = if metadata.is_empty() { "{}" } else { metadata };
                assert_eq!(shown, serde_json::from_str::<Value>(before).expect("JSON"));
            }
        }
    }

    #[test]
    fn metadata_that_is_not_an_object_is_copied_unchanged() {
        for metadata in ["null", "[1]", "7", "{", "{\"a\"}", "no JSON"] {
            let original = event(metadata, 1);
            let copied = copy(&original, 2);
            assert_eq!(copied.metadata, original.metadata);
            assert!(is_copy(&original, &copied));
        }
    }

    #[test]
    fn other_metadata_or_another_time_is_a_difference() {
        let original = event(r#"{"a":1}"#, 1);
        assert!(!is_copy(&original, &event(r#"{"a":2}"#, 1)));
        assert!(!is_copy(&original, &event(r#"{"a":1}"#, 2)));
        assert!(!is_copy(
            &copy(&original, 5),
            &copy(&event(r#"{"a":1}"#, 2), 5)
        ));
    }

    #[test]
    fn a_member_of_the_same_name_that_is_no_time_is_left_alone() {
        let other = event(r#"{"first_recorded_at":"yesterday"}"#, 1);
        assert_eq!(recorded_at(&other), other.recorded_at);
        let mut shown: Value = serde_json::from_slice(&other.metadata).expect("JSON");
        remove_from(&mut shown);
        assert_eq!(shown["first_recorded_at"], "yesterday");
        let copied = copy(&other, 2);
        assert_eq!(copied.metadata, other.metadata);
        assert!(is_copy(&other, &copied));
    }
}
