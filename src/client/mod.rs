//! The HTTP client: starts, plays and follows the games of a running service. A request that was
//! lost on the way is sent again.
//!
//! A start or a move has an [`IdempotencyKey`]. The key is the same in every attempt, so that the
//! request is carried out once. [`Client::connection`] reports when the service cannot be reached.
//!
//! Only the holder of a [`PlayerToken`] moves and resigns for a player of a protected game:
//! [`Client::with_token`].

mod event_stream;
mod game;
mod problem;
mod redirect;
mod retry;
mod service;
mod token;

pub use event_stream::EventStream;
pub use game::{Event, Game, LastMove};
pub use problem::{ClientError, InvalidServer, Problem};
pub use retry::{Connection, RetryPolicy};
pub use service::{Client, IdempotencyKey, Move, StartedGame};
pub use token::{InvalidPlayerToken, PlayerToken, PlayerTokens};
