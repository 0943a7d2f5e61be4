//! Loads games from their streams, and carries out commands.

mod command_error;
mod command_handler;
mod command_options;
mod deduplication;
mod event_id;
mod event_json;
mod game_id;
mod game_repository;
mod load_error;
mod resignation;
#[cfg(test)]
mod testing;

pub use command_error::CommandError;
pub use command_handler::{CommandHandler, Handled};
pub use command_options::{
    CommandOptions, IdempotencyKey, InvalidIdempotencyKey, Precondition, Revisions,
};
pub use deduplication::resulting_place;
pub use event_json::{DecodeError, decode, encode};
pub use game_id::{GAME_STREAM_PREFIX, GameId, InvalidGameId};
pub use game_repository::{
    GameAtRevision, GameFold, GameRepository, HistoricEvent, History, ends_game,
};
pub use load_error::{LoadError, UnreadableReason};
pub use resignation::resigned_by;
