//! The game in a terminal: to play it, to watch it and to step through it, against a running
//! service. All that it knows of the game, the service told it.

mod error;
mod keyboard;
mod opening;
mod play;
mod replay;
mod scene;
mod screen;
mod session;
mod settings;
mod watch;

pub use error::TerminalError;
pub use play::play;
pub use replay::replay;
pub use settings::{GameReference, LookSettings, NoGameReference, PlaySettings, ServerSettings};
pub use watch::watch;
