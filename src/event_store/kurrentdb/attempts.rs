//! How often a call is tried.

use std::time::{Duration, Instant};

/// How often one call may be tried: three times, none begun after the time of one call. A
/// failure that took no time tells that the connection is gone, the second one that the node
/// is, which brings another client.
pub(super) struct Attempts {
    left: u32,
    until: Instant,
}

impl Attempts {
    pub(super) fn new(call_timeout: Duration) -> Attempts {
        Attempts {
            left: 2,
            // A call that ran into its timeout may be repeated once.
            until: Instant::now() + call_timeout + call_timeout / 2,
        }
    }

    /// Waits a little before another attempt; false when there is none.
    pub(super) async fn another(&mut self) -> bool {
        if self.left == 0 || Instant::now() >= self.until {
            return false;
        }
        self.left -= 1;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(5..25))).await;
        true
    }
}
