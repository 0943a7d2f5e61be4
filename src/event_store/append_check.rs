//! Whether an append is new, a repetition or a conflict. The memory and SQLite stores apply this
//! rule; it is the one that KurrentDB applies.

use uuid::Uuid;

use super::revision::{ExpectedRevision, StreamRevision};

/// What to do with an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppendCheck {
    /// The stream is at the expected revision: store the events.
    Store,
    /// An earlier append stored these same events. This is the revision of the last of them.
    AlreadyStored(StreamRevision),
    /// The stream is not at the expected revision, and these events are not stored after it.
    Conflict,
}

/// Checks an append of events with these ids to a stream whose last revision is `actual`.
///
/// `stored_id` returns the id of the event at a revision that the stream has. Ids are compared
/// only when the stream has events after the expected revision. If the ids of those events are
/// the ids of the append, the append is a repetition; otherwise it is a conflict (KurrentDB's
/// `CheckCommit`).
pub(super) fn check_append<E>(
    expected: ExpectedRevision,
    actual: Option<StreamRevision>,
    ids: impl ExactSizeIterator<Item = Uuid>,
    mut stored_id: impl FnMut(StreamRevision) -> Result<Uuid, E>,
) -> Result<AppendCheck, E> {
    if expected == ExpectedRevision::at(actual) {
        return Ok(AppendCheck::Store);
    }
    let first = expected.first_appended();
    let last = first.plus(ids.len() as u64 - 1);
    if actual.is_none_or(|actual| actual < last) {
        return Ok(AppendCheck::Conflict);
    }
    for (offset, id) in (0..).zip(ids) {
        if stored_id(first.plus(offset))? != id {
            return Ok(AppendCheck::Conflict);
        }
    }
    Ok(AppendCheck::AlreadyStored(last))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Checks an append of `ids` at `expected` to a stream of events with the ids 0, 1, 2.
    fn check(expected: Option<u64>, ids: &[u128]) -> AppendCheck {
        let stored = |revision: StreamRevision| {
            Ok::<_, Infallible>(Uuid::from_u128(u128::from(revision.number())))
        };
        let ids = ids.iter().copied().map(Uuid::from_u128);
        let expected = ExpectedRevision::at(expected.map(StreamRevision::new));
        check_append(expected, Some(StreamRevision::new(2)), ids, stored).expect("infallible")
    }

    #[test]
    fn an_append_at_the_current_revision_is_new_whatever_its_ids() {
        assert_eq!(check(Some(2), &[0]), AppendCheck::Store);
    }

    #[test]
    fn a_repetition_is_recognised_wherever_the_stream_is_now() {
        let at = |number| AppendCheck::AlreadyStored(StreamRevision::new(number));
        assert_eq!(check(None, &[0]), at(0));
        assert_eq!(check(None, &[0, 1, 2]), at(2));
        assert_eq!(check(Some(0), &[1]), at(1));
        assert_eq!(check(Some(0), &[1, 2]), at(2));
    }

    #[test]
    fn other_ids_more_ids_and_a_future_revision_conflict() {
        for (expected, ids) in [
            (None, &[9][..]),
            (Some(0), &[1, 9]),
            (Some(0), &[9, 2]),
            (Some(1), &[2, 3]),
            (Some(3), &[4]),
        ] {
            assert_eq!(
                check(expected, ids),
                AppendCheck::Conflict,
                "{expected:?} {ids:?}"
            );
        }
    }
}
