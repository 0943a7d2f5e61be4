//! Where games meet streams: loading a game from its stream, and carrying out commands.

mod command_error;
mod command_handler;
mod event_id;
mod event_json;
mod game_id;
mod game_stream;
mod history;
mod load_error;
mod replay;
mod resignation;
mod terms;
#[cfg(test)]
mod testing;

pub use command_error::CommandError;
pub use command_handler::{CommandHandler, Handled};
pub use event_json::{DecodeError, decode, encode};
pub use game_id::{GAME_STREAM_PREFIX, GameId, InvalidGameId};
pub use game_stream::{GameFold, GameStreams, HistoricEvent, Loaded, ends_game};
pub use history::History;
pub use load_error::{LoadError, UnreadableReason};
pub use replay::resulting_place;
pub use resignation::resigned_by;
pub use terms::{IdempotencyKey, InvalidIdempotencyKey, Precondition, Revisions, Terms};
