//! Loads games from their streams, and carries out commands.

mod command_error;
mod command_handler;
mod command_options;
mod deduplication;
mod event_id;
mod event_json;
mod event_metadata;
mod game_id;
mod game_repository;
mod idempotency_key;
mod latest_position;
mod load_error;
mod resignation;
mod seats;
#[cfg(test)]
mod testing;
pub mod upcast;

pub use command_error::CommandError;
pub use command_handler::{CommandHandler, Handled};
pub use command_options::{Authority, CommandOptions, Precondition, Revisions};
pub use deduplication::resulting_place;
pub use event_json::{DecodeError, decode, encode};
pub use game_id::{GAME_STREAM_PREFIX, GameId, InvalidGameId};
pub use game_repository::{
    GameAtRevision, GameFold, GameRepository, HistoricEvent, History, ends_game, players_at_start,
};
pub use idempotency_key::{IdempotencyKey, InvalidIdempotencyKey};
pub use latest_position::LatestPosition;
pub use load_error::{LoadError, UnreadableReason};
pub use resignation::resigned_by;
pub use seats::{InvalidToken, NotASecretKey, PlayerToken, PlayerTokens, Seats, TokenHash};
