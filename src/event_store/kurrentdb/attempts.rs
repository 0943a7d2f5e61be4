//! Limits how often a call is tried.

use std::time::{Duration, Instant};

/// How often one call may be tried: three times, and no attempt begins after one and a half
/// times the call's timeout. An immediate failure means that the connection is lost. A second
/// one means that the node is, and the client is then replaced before the third attempt.
pub(super) struct Attempts {
    left: u32,
    until: Instant,
}

impl Attempts {
    pub(super) fn new(call_timeout: Duration) -> Attempts {
        Attempts {
            left: 2,
            // So that a call that timed out is repeated once.
            until: Instant::now() + call_timeout + call_timeout / 2,
        }
    }

    /// Waits 5 to 25 ms before the next attempt. False when no attempt is left.
    pub(super) async fn another(&mut self) -> bool {
        if self.left == 0 || Instant::now() >= self.until {
            return false;
        }
        self.left -= 1;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(5..25))).await;
        true
    }
}
