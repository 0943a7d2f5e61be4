//! Positions of the crate as ours.

use crate::event_store::GlobalPosition;

pub(super) fn position(position: kurrentdb::Position) -> GlobalPosition {
    GlobalPosition::new(position.commit, position.prepare)
}
