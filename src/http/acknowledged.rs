//! The last write that this process has acknowledged, so that its lists include it by default.

use std::sync::{Mutex, PoisonError};

use crate::event_store::GlobalPosition;

/// The greatest position that an answer to a write contained. Shared by all requests.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged(Mutex<Option<GlobalPosition>>);

impl Acknowledged {
    /// Remembers the position of an answer, if it is later than those before.
    pub(crate) fn add(&self, position: Option<GlobalPosition>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = position.max(*last);
    }

    /// The last position, or `None` if nothing was written since the process started.
    pub(crate) fn last(&self) -> Option<GlobalPosition> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything: the store was restored and may never reach these positions again.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
