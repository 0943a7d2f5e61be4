//! The greatest position that was seen.

use std::sync::{Mutex, PoisonError};

use crate::event_store::GlobalPosition;

/// The greatest of the positions that were added. Shared by all requests.
#[derive(Debug, Default)]
pub struct LatestPosition(Mutex<Option<GlobalPosition>>);

impl LatestPosition {
    /// Remembers the position, if it is later than those before.
    pub fn add(&self, position: Option<GlobalPosition>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = position.max(*last);
    }

    /// The latest position, or `None` if none was added since the process started.
    pub fn last(&self) -> Option<GlobalPosition> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything: the store was restored and may never reach these positions again.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
