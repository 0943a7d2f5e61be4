//! The computer as an opponent: which column it plays, and how hard it tries.

mod level;
mod solver;

pub use level::{Level, UnknownLevel};
pub use solver::{Choice, Effort, Value, choose};
