//! Why a watcher ends before its game does.

/// Why a watcher gets no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// It would miss an event: it is too slow, or the stream is not the one that was read.
    #[error("the watcher cannot be sent every event; its client may resume")]
    Behind,
    /// Watching was ended, most likely because the service stops.
    #[error("watching was ended")]
    Stopped,
}
