//! The computer as an opponent: which column it plays, how hard it tries, and the process manager
//! that makes its moves.

mod level;
mod player;
mod process_manager;
mod reaction;
mod running_games;
mod solver;
mod thinkers;

pub use level::{Level, UnknownLevel};
pub use player::ComputerPlayer;
pub use process_manager::{Playing, ProcessManager};
pub use solver::{Choice, Effort, Value, choose};
