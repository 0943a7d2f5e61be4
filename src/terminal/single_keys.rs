//! The mode of the terminal in which each key is read at once, without an echo.

use std::io;

use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

/// The terminal is in this mode until the value is dropped or the mode is released.
#[derive(Debug)]
pub(super) struct SingleKeys {
    original: Termios,
    single: Termios,
}

impl SingleKeys {
    /// Fails when standard input is not a terminal.
    pub(super) fn take() -> io::Result<SingleKeys> {
        let original = tcgetattr(io::stdin())?;
        let mut single = original.clone();
        single
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO);
        single.special_codes[SpecialCodeIndex::VMIN] = 1;
        single.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Ctrl-C and Ctrl-\ are read as keys. Ctrl-Z still sends a signal, to all programs of a pipeline.
        single.special_codes[SpecialCodeIndex::VINTR] = libc::_POSIX_VDISABLE;
        single.special_codes[SpecialCodeIndex::VQUIT] = libc::_POSIX_VDISABLE;
        let mode = SingleKeys { original, single };
        mode.take_again()?;
        Ok(mode)
    }

    /// After a release.
    pub(super) fn take_again(&self) -> io::Result<()> {
        tcsetattr(io::stdin(), OptionalActions::Now, &self.single)?;
        Ok(())
    }

    /// Leaves the terminal as it was. In the background, the terminal was released before, and setting
    /// its mode would stop the process.
    pub(super) fn release(&self) {
        if !is_in_foreground() {
            return;
        }
        // Fails if the terminal is gone; then there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.original);
    }
}

/// Whether this process may use the terminal. A shell can also continue a stopped process in the
/// background.
pub(super) fn is_in_foreground() -> bool {
    // Fails if standard input is not the controlling terminal: then no shell takes it away.
    tcgetpgrp(io::stdin()).map_or(true, |foreground| foreground == getpgrp())
}

impl Drop for SingleKeys {
    fn drop(&mut self) {
        self.release();
    }
}
