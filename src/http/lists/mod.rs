//! Games and players, from the read model.

pub(crate) mod cursor;
pub(crate) mod games;
mod player_names;
pub(crate) mod players;
pub(crate) mod read_your_writes;
