//! Where games meet streams: loading a game from its stream, and carrying out commands.

mod command_handler;
mod event_id;
mod event_json;
mod game_id;
mod game_stream;
#[cfg(test)]
mod testing;

pub use command_handler::{CommandError, CommandHandler};
pub use event_json::{DecodeError, decode, encode};
pub use game_id::{GAME_STREAM_PREFIX, GameId, InvalidGameId};
pub use game_stream::{GameStreams, HistoricEvent, LoadError, Loaded, UnreadableReason, ends_game};
