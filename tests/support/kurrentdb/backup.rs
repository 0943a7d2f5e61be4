//! Backups: the database goes back to an earlier state.

use super::Double;
use super::log::Log;

/// The complete content of the database at one time.
#[derive(Debug, Clone)]
pub struct Snapshot(Log);

impl Double {
    /// Takes a backup.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.shared.log().clone())
    }

    /// Replaces the database with a backup. All connections are lost, as in a restart with other
    /// files. A node that is down stays down.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut log = self.shared.log();
        log.restore(&snapshot.0);
        self.shared.publish(&log);
        self.shared.cut();
    }
}
