//! Answers about many games: a SQLite file that one projector fills from the events.
//!
//! It is disposable. Everything in it follows from the events, in their order, so that a file
//! that is deleted, of another version or of another store's events is built again and comes
//! out the same. It is honest about how far it has come: each answer says which position it
//! reflects, read in one transaction with the rows, and [`ReadModel::reached`] waits for one.
//!
//! `projector` follows the store, `batch` judges events and gathers what they change,
//! `commit` writes it with the checkpoint in one transaction, `lists` answers. `identity` asks
//! whether the store is still the same.

mod answers;
mod apply;
mod batch;
mod commit;
mod database;
mod follow_error;
mod identity;
mod location;
mod observer;
mod open;
mod outcome;
mod progress;
mod projector;
mod projector_state;
mod queries;
mod report;
mod schema;
mod truncation;

use std::sync::Arc;
use std::time::Duration;

use tokio::task;

pub use answers::{
    Answer, GameStatus, GameSummary, GamesPage, GamesQuery, PlayerRecord, PlayersSort,
};
pub use database::ReadModelError;
pub use location::ReadModelLocation;
pub use observer::StoreObserver;
pub use open::OpenReadModelError;
pub use progress::ReadModelStatus;

use crate::event_store::{EventStore, GlobalPosition};
use database::Database;
use progress::Progress;
use projector::Projector;

/// What is known about many games.
#[derive(Debug)]
pub struct ReadModel {
    database: Arc<Database>,
    progress: Arc<Progress>,
    /// Held by who projects.
    projecting: tokio::sync::Mutex<()>,
    store_checked_every: Duration,
}

/// How often it is looked whether the store is still the same: a backup may be restored without
/// the loss of a connection.
const STORE_CHECKED_EVERY: Duration = Duration::from_secs(30);

/// A projector that runs; it ends when this is dropped.
#[derive(Debug)]
pub struct Projecting(task::JoinHandle<()>);

impl Projecting {
    /// Stops it, and waits until it has let go of the read model.
    pub async fn stop(mut self) {
        self.0.abort();
        // That it was cancelled is what was asked for.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Projecting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ReadModel {
    /// Opens it where it is kept, for this process alone; a file that is not there is created.
    ///
    /// # Errors
    ///
    /// When the file is another program's, or in use, or cannot be used.
    pub async fn open(location: &ReadModelLocation) -> Result<ReadModel, OpenReadModelError> {
        ReadModel::open_as(location, false).await
    }

    /// Opens it as [`open`](ReadModel::open) does, and empty: what was there is deleted.
    pub async fn open_anew(location: &ReadModelLocation) -> Result<ReadModel, OpenReadModelError> {
        ReadModel::open_as(location, true).await
    }

    async fn open_as(
        location: &ReadModelLocation,
        anew: bool,
    ) -> Result<ReadModel, OpenReadModelError> {
        match location {
            ReadModelLocation::Memory => Ok(ReadModel::in_memory()),
            ReadModelLocation::File(path) => {
                let given = path.clone();
                let path = path.clone();
                let opened = task::spawn_blocking(move || Database::open(&path, anew)).await;
                opened
                    .unwrap_or_else(|error| Err(OpenReadModelError::io(&given, error.into())))
                    .map(ReadModel::on)
            }
        }
    }

    /// One that ends with the process.
    pub fn in_memory() -> ReadModel {
        let database = Database::in_memory().expect("SQLite has room for empty tables");
        ReadModel::on(database)
    }

    fn on(database: Database) -> ReadModel {
        ReadModel {
            database: Arc::new(database),
            progress: Arc::new(Progress::new()),
            projecting: tokio::sync::Mutex::default(),
            store_checked_every: STORE_CHECKED_EVERY,
        }
    }

    /// Looks as often whether the store is still the same, instead of every 30 s. It also looks
    /// whenever it begins to follow the store.
    #[must_use]
    pub fn checking_store_every(mut self, interval: Duration) -> ReadModel {
        self.store_checked_every = interval;
        self
    }

    /// Follows the games of this store, and does not end. One at a time does this for a read
    /// model; who comes second waits. The observer is told when the store no longer holds what
    /// it held.
    pub async fn project(&self, store: Arc<dyn EventStore>, observer: Arc<dyn StoreObserver>) {
        let _only = self.projecting.lock().await;
        let projector = Projector {
            database: self.database.clone(),
            progress: self.progress.clone(),
            store,
            observer,
            checked_every: self.store_checked_every,
        };
        projector.run().await;
    }

    /// Lets a task [`project`](ReadModel::project) until the answer is dropped.
    pub fn start(
        self: &Arc<Self>,
        store: Arc<dyn EventStore>,
        observer: Arc<dyn StoreObserver>,
    ) -> Projecting {
        let model = self.clone();
        Projecting(tokio::spawn(async move {
            model.project(store, observer).await;
        }))
    }

    /// The games that the query asks for.
    pub async fn games(&self, query: &GamesQuery) -> Result<GamesPage, ReadModelError> {
        let query = query.clone();
        let read = self
            .database
            .read(move |tables| queries::games(tables, &query));
        read.await
    }

    /// The player with exactly this name; `None` for who takes part in no game.
    pub async fn player(&self, name: &str) -> Result<Answer<Option<PlayerRecord>>, ReadModelError> {
        let name = name.to_owned();
        let read = self
            .database
            .read(move |tables| queries::player(tables, &name));
        read.await
    }

    /// The first players in this order, of those who take part in a game.
    pub async fn players(
        &self,
        sort: PlayersSort,
        limit: usize,
    ) -> Result<Answer<Vec<PlayerRecord>>, ReadModelError> {
        let read = self
            .database
            .read(move |tables| queries::players(tables, sort, limit));
        read.await
    }

    /// The last event that answers reflect; `None` when there is none yet.
    pub fn position(&self) -> Option<GlobalPosition> {
        self.progress.position()
    }

    /// Whether everything that was recorded before the start has been visible. False again
    /// while it is rebuilt since the store was restored: a list that was read then may lack
    /// games. So ask after reading.
    pub fn has_caught_up(&self) -> bool {
        self.progress.has_caught_up()
    }

    /// Resolves when [`has_caught_up`](ReadModel::has_caught_up) is true.
    pub async fn caught_up(&self) {
        self.progress.has_ever_caught_up().await;
    }

    /// Resolves when every answer that is asked for from now on reflects this event, which has
    /// to be a game's. It may never: who calls it sets the time.
    pub async fn reached(&self, position: GlobalPosition) {
        self.progress.reached(position).await;
    }

    /// How it is doing.
    pub fn status(&self) -> ReadModelStatus {
        self.progress.status()
    }
}
