//! A number that tests wait for.

use tokio::sync::watch;
use tokio::time::timeout;

use crate::program::PATIENCE;

/// Counts what happens in other tasks. Clones share the number.
#[derive(Clone, Default)]
pub(crate) struct Count(watch::Sender<usize>);

impl Count {
    pub(crate) fn increase(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Waits until it has increased by this much.
    pub(crate) async fn increases_by(&self, more: usize) {
        let mut count = self.0.subscribe();
        let target = *count.borrow() + more;
        let reached = timeout(PATIENCE, count.wait_for(|count| *count >= target)).await;
        reached.expect("in time").expect("`self` has the sender");
    }
}
