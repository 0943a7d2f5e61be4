//! The service, as a Rust program sees it: games are started, moved and followed over HTTP,
//! and what gets lost on the way is sent again.
//!
//! A start or a move is an [`Intention`]: its key goes with every attempt, so that it is
//! carried out once, however many attempts it takes. [`Client::connection`] tells whoever
//! shows it to people when the service cannot be reached.

mod attempts;
mod following;
mod game;
mod problem;
mod service;

pub use attempts::{Connection, Patience};
pub use following::Following;
pub use game::{Event, Game, LastMove};
pub use problem::{ClientError, InvalidServer, Problem};
pub use service::{Client, Intention, Move};
