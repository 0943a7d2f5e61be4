//! The settings of `copy`.

use clap::Args;

/// The settings of `copy`.
#[derive(Debug, Clone, Args)]
pub struct CopySettings {
    /// The store to read: `sqlite://PATH` or a KurrentDB connection string. A service may be using
    /// it. A SQLite file is opened read-only.
    #[arg(long, value_name = "URL")]
    pub from: String,

    /// The store to append to. A SQLite file is created if it does not exist, and no service may be
    /// using it; KurrentDB may be in use. Games that were deleted in the source are deleted here too.
    #[arg(long, value_name = "URL")]
    pub to: String,

    /// When all events are copied, continue with those that are still being written. The first
    /// SIGINT or SIGTERM copies the events that the source has at that moment, and ends. The second
    /// ends at once.
    #[arg(long, conflicts_with = "verify")]
    pub follow: bool,

    /// Copy nothing, but compare the stores game by game: whether the target has every event of the
    /// source, unchanged, and no game that was deleted in the source. A service may be using either
    /// store.
    #[arg(long)]
    pub verify: bool,

    /// List the games that differ in the target, and copy the others. Without it, the copy stops at
    /// the first one.
    #[arg(long, conflicts_with = "verify")]
    pub keep_going: bool,
}
