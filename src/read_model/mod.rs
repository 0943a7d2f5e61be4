//! Answers about many games: a SQLite file that one projector fills from the events.
//!
//! It is disposable. Everything in it is derived from the events, in their order. A file that is
//! deleted, is damaged, has another version or contains another store's events is rebuilt, with the
//! same result. Each answer says which position it reflects; rows and position are read in one
//! transaction. [`ReadModel::reached`] waits for a position.
//!
//! `rebuild` builds a new file while the old one is used, and `succession` puts it in the place of the old
//! one.
//!
//! `projector` follows the store, `batch` checks events and collects their changes, `commit`
//! writes them with the checkpoint in one transaction, `queries` answers. `identity` checks that
//! the store is still the same.

mod answers;
mod apply;
mod batch;
mod commit;
mod damage;
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
mod rebuild;
mod report;
mod schema;
mod succession;
mod truncation;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task;

pub use answers::{
    Answer, GameStatus, GameSummary, GamesPage, GamesQuery, PlayerRecord, PlayersSort,
};
pub use database::ReadModelError;
pub use location::{InvalidReadModelLocation, ReadModelLocation};
pub use observer::StoreObserver;
pub use open::OpenReadModelError;
pub use progress::ReadModelStatus;
pub use rebuild::Placement;

use crate::event_store::{EventStore, GlobalPosition};
use database::{Database, blocking};
use progress::Progress;
use projector::Projector;

/// The lists of games and players, derived from the events.
#[derive(Debug)]
pub struct ReadModel {
    database: Arc<Database>,
    progress: Arc<Progress>,
    /// Locked by the projector while it runs.
    projecting: tokio::sync::Mutex<()>,
    store_checked_every: Duration,
    /// The file beside which this one is built; `None` for a read model that is in use.
    replaces: Option<PathBuf>,
}

/// How often the projector checks that the store is still the same: a backup may be restored
/// without a lost connection.
const STORE_CHECKED_EVERY: Duration = Duration::from_secs(30);

/// A running projector. It stops when this is dropped.
#[derive(Debug)]
pub struct Projecting(task::JoinHandle<()>);

impl Projecting {
    /// Stops the projector, and waits until it no longer uses the read model.
    pub async fn stop(mut self) {
        self.0.abort();
        // The only error is the cancellation, which is intended.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Projecting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ReadModel {
    /// Opens the read model for this process alone. Creates the file if it does not exist.
    ///
    /// # Errors
    ///
    /// When the file is not a read model, is in use, or cannot be opened or written.
    pub async fn open(location: &ReadModelLocation) -> Result<ReadModel, OpenReadModelError> {
        match location {
            ReadModelLocation::Memory => Ok(ReadModel::in_memory()),
            ReadModelLocation::File(path) => {
                let path = path.clone();
                let opened = blocking(move || Database::open(&path, false)).await;
                opened.map(ReadModel::on)
            }
        }
    }

    /// Creates an empty read model in a new file beside the one at this path, which a service may be
    /// using. Once it has caught up, [`put_in_place`](ReadModel::put_in_place) replaces the other one.
    ///
    /// # Errors
    ///
    /// When the file at the path is not a read model, another rebuild is running, or the new file
    /// cannot be written.
    pub async fn open_beside(path: &Path) -> Result<ReadModel, OpenReadModelError> {
        let (database, replaces) = rebuild::open_beside(path).await?;
        Ok(ReadModel {
            replaces: Some(replaces),
            ..ReadModel::on(database)
        })
    }

    /// Puts a file that was opened with [`open_beside`](ReadModel::open_beside) in the place of the
    /// other one, and closes it; its projector must have stopped. A service that uses the other one is
    /// given the file, and this waits until the service uses it, but not longer than the patience.
    pub async fn put_in_place(&self, patience: Duration) -> Result<Placement, OpenReadModelError> {
        match &self.replaces {
            Some(path) => rebuild::put_in_place(self.database.clone(), path, patience).await,
            None => Ok(Placement::InPlace),
        }
    }

    /// Closes and deletes the file. The projector must have stopped.
    pub async fn delete(&self) -> Result<(), OpenReadModelError> {
        self.database.delete().await
    }

    /// A read model that is lost when the process ends.
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
            replaces: None,
        }
    }

    /// Sets how often the projector checks that the store is still the same; the default is 30 s.
    /// It also checks whenever it starts to follow the store.
    #[must_use]
    pub fn checking_store_every(mut self, interval: Duration) -> ReadModel {
        self.store_checked_every = interval;
        self
    }

    /// Follows the games of this store, and never returns. A read model has one projector at a
    /// time: a second call waits until the first one is dropped. The observer is called when the
    /// store has lost events.
    pub async fn project(&self, store: Arc<dyn EventStore>, observer: Arc<dyn StoreObserver>) {
        let _only = self.projecting.lock().await;
        let projector = Projector {
            database: self.database.clone(),
            progress: self.progress.clone(),
            store,
            observer,
            checked_every: self.store_checked_every,
        };
        succession::project(projector).await;
    }

    /// Starts a task that runs [`project`](ReadModel::project) until the returned value is dropped.
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

    /// The games that match the query.
    pub async fn games(&self, query: &GamesQuery) -> Result<GamesPage, ReadModelError> {
        let query = query.clone();
        let read = self
            .database
            .read(move |tables| queries::games(tables, &query));
        read.await
    }

    /// The player with exactly this name; `None` if the player has no games.
    pub async fn player(&self, name: &str) -> Result<Answer<Option<PlayerRecord>>, ReadModelError> {
        let name = name.to_owned();
        let read = self
            .database
            .read(move |tables| queries::player(tables, &name));
        read.await
    }

    /// The first `limit` players in this order. Players without games are left out.
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

    /// The position of the last event that answers reflect; `None` when no event was applied yet.
    pub fn position(&self) -> Option<GlobalPosition> {
        self.progress.position()
    }

    /// Whether everything that was recorded before the start is visible. False again during a
    /// rebuild, when a list may lack games. So call this after reading a list, not before.
    pub fn has_caught_up(&self) -> bool {
        self.progress.has_caught_up()
    }

    /// Resolves when [`has_caught_up`](ReadModel::has_caught_up) is true.
    pub async fn caught_up(&self) {
        self.progress.wait_until_caught_up().await;
    }

    /// Resolves when every later query reflects the event at this position, which has to be an
    /// event of a game. May never resolve; use a timeout.
    pub async fn reached(&self, position: GlobalPosition) {
        self.progress.reached(position).await;
    }

    /// Resolves when the projector has failed this many times in a row, with its last error. It goes
    /// on trying.
    pub async fn failed(&self, attempts: u64) -> String {
        self.progress.failures(attempts).await
    }

    /// Figures for metrics and for the readiness check.
    pub fn status(&self) -> ReadModelStatus {
        self.progress.status()
    }
}
