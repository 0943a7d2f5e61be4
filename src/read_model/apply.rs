//! Applies one batch of a subscription's messages to the tables. Reads streams from the store
//! where the tables do not contain enough to apply an event.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::task::spawn_blocking;

use super::batch::{Batch, Delivered, Halt, History, Unreadable};
use super::commit::commit;
use super::database::{Database, ReadModelError};
use super::follow_error::FollowError;
use super::projector_state::ProjectorState;
use super::queries::to_sql;
use crate::application::{GameFold, GameId};
use crate::event_store::{EventStore, EventStoreError, StreamRevision};
use crate::sqlite_file::Transaction;

/// The result of an applied batch.
pub(super) struct Applied {
    pub(super) memory: Box<ProjectorState>,
    pub(super) events: u64,
    /// When the last event of the batch was recorded.
    pub(super) latest: Option<DateTime<Utc>>,
    /// The streams that this batch found to be unreadable.
    pub(super) unreadable: Vec<Unreadable>,
}

/// Applies the messages in one transaction.
pub(super) async fn apply(
    database: Arc<Database>,
    store: Arc<dyn EventStore>,
    mut memory: Box<ProjectorState>,
    delivered: Vec<Delivered>,
) -> Result<Applied, FollowError> {
    let mut work = Work {
        batch: Batch::default(),
        delivered,
        taken: 0,
    };
    loop {
        let database = database.clone();
        let step =
            spawn_blocking(move || database.write(|connection| work.run(connection, memory)));
        match step.await.map_err(ReadModelError::from)?? {
            Step::Committed(applied) => return Ok(applied),
            Step::Needs {
                game,
                before,
                stopped,
            } => {
                (work, memory) = *stopped;
                let history = history(&*store, game, before).await?;
                work.batch.add_history(game, history);
            }
        }
    }
}

/// Reads the game's stream from the store and folds its events before this revision.
async fn history(
    store: &dyn EventStore,
    id: GameId,
    before: StreamRevision,
) -> Result<History, FollowError> {
    let stream = id.stream();
    let slice = match store.read_stream(&stream, StreamRevision::FIRST).await {
        Ok(slice) => slice,
        Err(EventStoreError::StreamDeleted { .. }) => return Ok(History::Deleted),
        Err(error) => return Err(error.into()),
    };
    if slice.last_revision.is_none() {
        return Ok(History::Absent);
    }
    let first = slice.events.first().map(|event| event.revision);
    if first != Some(StreamRevision::FIRST) {
        return Ok(History::Deleted);
    }
    let mut fold = GameFold::default();
    for event in slice.events.iter().filter(|event| event.revision < before) {
        if let Err(reason) = fold.fold(event) {
            return Ok(History::Unreadable(Unreadable {
                stream: stream.as_str().to_owned(),
                revision: to_sql(event.revision.number()),
                reason: reason.to_string(),
            }));
        }
    }
    Ok(History::Whole(fold))
}

/// A batch that is being prepared for its transaction.
struct Work {
    batch: Batch,
    delivered: Vec<Delivered>,
    /// How many messages of `delivered` the batch contains so far.
    taken: usize,
}

enum Step {
    Committed(Applied),
    Needs {
        game: GameId,
        before: StreamRevision,
        stopped: Box<(Work, Box<ProjectorState>)>,
    },
}

impl Work {
    /// Runs until the batch is committed, or until a game's stream has to be read first.
    fn run(
        mut self,
        connection: &mut rusqlite::Connection,
        mut memory: Box<ProjectorState>,
    ) -> Result<Step, FollowError> {
        let transaction = Transaction::deferred(connection).map_err(ReadModelError::from)?;
        loop {
            let taken = match self.delivered.get(self.taken) {
                Some(delivered) => self.batch.take(&mut memory, &transaction, delivered),
                None => self.batch.check_streams(&mut memory, &transaction),
            };
            match taken {
                Ok(()) if self.taken == self.delivered.len() => break,
                Ok(()) => self.taken += 1,
                Err(Halt::NeedsHistory { game, before }) => {
                    return Ok(Step::Needs {
                        game,
                        before,
                        stopped: Box::new((self, memory)),
                    });
                }
                Err(Halt::Undeleted(game)) => return Err(FollowError::Undeleted(game)),
                Err(Halt::Sqlite(error)) => return Err(ReadModelError::from(error).into()),
            }
        }
        let events = self.batch.events;
        let latest = self.delivered.iter().rev().find_map(recorded_at);
        let unreadable =
            commit(transaction, &mut memory, self.batch).map_err(ReadModelError::from)?;
        Ok(Step::Committed(Applied {
            memory,
            events,
            latest,
            unreadable,
        }))
    }
}

/// When the event was recorded; `None` if the message is not an event.
pub(super) fn recorded_at(delivered: &Delivered) -> Option<DateTime<Utc>> {
    match delivered {
        Delivered::Event(event) => Some(event.recorded_at),
        Delivered::Truncated(_) => None,
    }
}
