//! `connect-four forget-game`: deletes a game for ever, because names are personal data.

use std::io::{self, Write};

use super::file_size;
use super::settings::ForgetGameSettings;
use crate::application::GameId;
use crate::event_store::{self, EventStoreError, OpenError, SqliteOpenError, StreamRevision};

/// Why the game was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum ForgetGameError {
    /// A running service uses the file.
    #[error(
        "{0}; the game was not deleted: a service keeps its SQLite file locked, so stop the \
         service, delete the game, and start the service again"
    )]
    InUse(OpenError),
    /// The event store cannot be opened.
    #[error(transparent)]
    OpenStore(OpenError),
    /// There is no such game.
    #[error("{location} has no game {game}: nothing was deleted")]
    NoSuchGame {
        /// The game.
        game: GameId,
        /// Where it was looked for.
        location: String,
    },
    /// The event store does not answer, or refuses the deletion.
    #[error("{0}; run the command again: deleting a game twice does no harm")]
    Store(#[from] EventStoreError),
    /// The result cannot be printed.
    #[error("the game was deleted, but standard output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl From<OpenError> for ForgetGameError {
    fn from(error: OpenError) -> ForgetGameError {
        let in_use = matches!(error, OpenError::Sqlite(SqliteOpenError::InUse { .. }));
        match in_use {
            true => ForgetGameError::InUse(error),
            false => ForgetGameError::OpenStore(error),
        }
    }
}

/// Deletes the game. A game that was deleted before is deleted again: it may have been deleted in a
/// way that can be undone.
pub async fn run(settings: &ForgetGameSettings) -> Result<(), ForgetGameError> {
    file_size::survive_limit()?;
    let game = settings.game;
    let stream = game.stream();
    let store = event_store::open(&settings.event_store).await?;
    let location = store.location();
    match store.read_stream(&stream, StreamRevision::FIRST).await {
        Ok(slice) if slice.last_revision.is_none() => {
            return Err(ForgetGameError::NoSuchGame { game, location });
        }
        Ok(_) | Err(EventStoreError::StreamDeleted { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    store.delete_stream(&stream).await?;
    // SQLite empties its write-ahead log when the file is closed.
    drop(store);
    writeln!(io::stdout(), "Deleted game {game} from {location}")?;
    Ok(())
}
