//! Converts positions of the crate to ours.

use crate::event_store::GlobalPosition;

pub(super) fn position(position: kurrentdb::Position) -> GlobalPosition {
    GlobalPosition::new(position.commit, position.prepare)
}
