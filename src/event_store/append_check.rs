//! What an append comes to: the rule that every adapter of ours applies as KurrentDB does.

use uuid::Uuid;

use super::revision::{ExpectedRevision, StreamRevision};

/// What to do with an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppendCheck {
    /// The stream is where it was expected: store the events.
    Store,
    /// These very events were stored at this place before; the last of them is here.
    AlreadyStored(StreamRevision),
    /// Somebody else's events are there, or none where some were expected.
    Conflict,
}

/// Judges an append of events with these ids to a stream that ends at `actual`.
///
/// `stored_id` answers for the revisions that the stream has. Only when the stream has gone
/// past the expected revision are ids compared, one by one with the events that follow it:
/// all the same is a repetition, anything else a conflict (KurrentDB's `CheckCommit`).
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

    /// Judges an append of `ids` at `expected` to a stream of events with the ids 0, 1, 2.
    fn verdict(expected: Option<u64>, ids: &[u128]) -> AppendCheck {
        let stored = |revision: StreamRevision| {
            Ok::<_, Infallible>(Uuid::from_u128(u128::from(revision.number())))
        };
        let ids = ids.iter().copied().map(Uuid::from_u128);
        let expected = ExpectedRevision::at(expected.map(StreamRevision::new));
        check_append(expected, Some(StreamRevision::new(2)), ids, stored).expect("infallible")
    }

    #[test]
    fn an_append_at_the_current_revision_is_new_whatever_its_ids() {
        assert_eq!(verdict(Some(2), &[0]), AppendCheck::Store);
    }

    #[test]
    fn a_repetition_is_recognised_wherever_the_stream_is_now() {
        let at = |number| AppendCheck::AlreadyStored(StreamRevision::new(number));
        assert_eq!(verdict(None, &[0]), at(0));
        assert_eq!(verdict(None, &[0, 1, 2]), at(2));
        assert_eq!(verdict(Some(0), &[1]), at(1));
        assert_eq!(verdict(Some(0), &[1, 2]), at(2));
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
                verdict(expected, ids),
                AppendCheck::Conflict,
                "{expected:?} {ids:?}"
            );
        }
    }
}
