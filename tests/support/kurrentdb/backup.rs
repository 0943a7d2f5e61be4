//! Backups: the database goes back to an earlier state.

use super::Double;
use super::log::Log;

/// All that the database held at one time.
#[derive(Debug, Clone)]
pub struct Snapshot(Log);

impl Double {
    /// Takes a backup.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.shared.log().clone())
    }

    /// Puts a backup in the place of the database, as a restart with other files does:
    /// connections are lost. A node that is down stays down.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut log = self.shared.log();
        log.restore(&snapshot.0);
        self.shared.publish(&log);
        self.shared.cut();
    }
}
