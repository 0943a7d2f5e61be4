//! The rules of Connect Four, as two pure functions.
//!
//! [`decide`] says which events a command causes, or which rule forbids it;
//! [`evolve`] folds an event into the state. Nothing here knows of streams, HTTP,
//! clocks or storage: a [`Game`] is what its events add up to.
//!
//! The vocabulary and the order of the rules are those of the tutorial "Event Sourcing
//! From The Ground Up", whose programs share a database with this one.

mod board;
mod command;
mod decide;
mod event;
mod evolve;
mod game;
mod player;
mod rejection;
mod replay;
#[cfg(test)]
mod testing;

pub use board::{Board, Cell, Column, Disc, Row, UnknownColumn};
pub use command::{Command, MakeMove, Resign, StartGame};
pub use decide::decide;
pub use event::{GameEvent, GameResult};
pub use evolve::evolve;
pub use game::{Finished, Game, InProgress, Move};
pub use player::{InvalidPlayerName, PlayerName, Players, PlayersNotDistinct, Side};
pub use rejection::Rejection;
pub use replay::{InvalidHistory, replay};
