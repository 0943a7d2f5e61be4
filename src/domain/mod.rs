//! The rules of Connect Four, as two pure functions.
//!
//! [`decide`] returns the events that a command causes, or the rule that forbids it. [`evolve`]
//! applies an event to the state. A [`Game`] is the result of applying all its events in order.
//! This module knows nothing about streams, HTTP, clocks or storage.
//!
//! The names and the order of the rules come from the tutorial "Event Sourcing From The Ground
//! Up". Its programs can use the same database as this one.

mod board;
mod command;
mod decide;
mod event;
mod evolve;
mod game;
mod name_rules;
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
