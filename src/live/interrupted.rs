//! Why a watcher ends before its game.

/// Why a watcher gets no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// The watcher would miss an event: it is too slow, the stream was replaced after it was read, or the
    /// subscription was lost.
    #[error("the watcher would miss an event; its client can resume")]
    Behind,
    /// The service stops.
    #[error("the service stops")]
    Stopped,
}
