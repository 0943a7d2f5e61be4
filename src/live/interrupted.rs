//! Why a watcher ends before its game.

/// Why a watcher gets no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// The watcher would miss an event: it is too slow, or the stream was replaced after it was read.
    #[error("the watcher would miss an event; its client can resume")]
    Behind,
    /// The watcher was ended, usually because the service stops.
    #[error("the watcher was ended")]
    Stopped,
}
