//! Limits on the size of files, such as `ulimit -f`.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Makes a write beyond the limit fail with an error. Otherwise SIGXFSZ ends the process.
pub(super) fn survive_limit() -> io::Result<()> {
    // The handler stays when its receiver is dropped.
    signal(SignalKind::from_raw(libc::SIGXFSZ)).map(drop)
}
