//! Keeps a read model up to date, and lets a file that `rebuild` has built take the place of the one in
//! use. Lists are answered all the time, and never go back.
//!
//! The new file has to catch up first, with a projector of its own. Then the old file stops where it
//! is, until the new one contains as much.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::fs;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::database::{Database, ReadModelError};
use super::open::OpenReadModelError;
use super::progress::Progress;
use super::projector::Projector;
use super::rebuild::{built, open_existing};
use super::{identity, queries};
use crate::backoff::Backoff;
use crate::event_store::{AtPosition, EventStoreError};

/// How often it looks for a file that was built.
const LOOKED_FOR_EVERY: Duration = Duration::from_millis(250);

/// How long lists may show no new events before the new file takes over. It has caught up before, so
/// a few milliseconds are enough.
const LONGEST_STOP: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a file did not take over. The old one goes on.
#[derive(Debug, thiserror::Error)]
enum SuccessionError {
    #[error("it lacks events that the old one contains")]
    Behind,
    #[error(transparent)]
    Store(#[from] EventStoreError),
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error(transparent)]
    Open(#[from] OpenReadModelError),
}

/// A new file, which follows the store.
struct Successor {
    database: Arc<Database>,
    progress: Arc<Progress>,
    projecting: AbortOnDropHandle<()>,
}

/// Runs the projector, on one file after the other. Never returns.
pub(super) async fn project(projector: Projector) {
    let Some(path) = projector.database.path() else {
        return projector.run(&CancellationToken::new()).await;
    };
    let built = built(&path);
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut pause = Duration::ZERO;
    loop {
        let stop = CancellationToken::new();
        let successor = async {
            sleep(pause).await;
            let successor = successor(&projector, &built).await;
            stop.cancel();
            successor
        };
        let (successor, ()) = tokio::join!(successor, projector.run(&stop));
        match take_over(&projector, successor).await {
            Ok(()) => {
                tracing::info!("a rebuilt file has taken the place of {}", path.display());
                pauses.reset();
                pause = Duration::ZERO;
            }
            Err(error) => {
                tracing::warn!(%error, "{} does not take over: {error}", built.display());
                pause = pauses.next_pause();
            }
        }
    }
}

/// Waits for a file that was built, and until that file has caught up.
async fn successor(projector: &Projector, built: &Path) -> Successor {
    loop {
        sleep(LOOKED_FOR_EVERY).await;
        if !fs::try_exists(built).await.unwrap_or(false) {
            continue;
        }
        match open_existing(built).await {
            Ok(database) => {
                let successor = Successor::follow(projector, database);
                successor.progress.wait_until_caught_up().await;
                return successor;
            }
            // The rebuild has not closed it yet.
            Err(OpenReadModelError::InUse { .. }) => {}
            Err(error) => {
                tracing::warn!(%error, "a rebuilt file cannot be opened: {error}");
                sleep(LONGEST_PAUSE).await;
            }
        }
    }
}

impl Successor {
    fn follow(projector: &Projector, database: Database) -> Successor {
        let (database, progress) = (Arc::new(database), Arc::new(Progress::new()));
        // It has the same observer: whatever it learns while the old file stops, it learns alone.
        let projector = Projector {
            database: database.clone(),
            progress: progress.clone(),
            ..projector.clone()
        };
        let projecting = tokio::spawn(async move {
            projector.run(&CancellationToken::new()).await;
        });
        Successor {
            database,
            progress,
            projecting: AbortOnDropHandle::new(projecting),
        }
    }
}

/// Puts the successor's file in the place of the projector's file. The projector does not run meanwhile.
async fn take_over(projector: &Projector, successor: Successor) -> Result<(), SuccessionError> {
    let mut is_erased = false;
    if let Some(position) = projector.database.read(queries::position).await? {
        let reached = successor.progress.reached(position);
        if timeout(LONGEST_STOP, reached).await.is_err() {
            // It never reaches the position of an event that was deleted.
            is_erased = matches!(
                projector.store.event_at(position).await?,
                AtPosition::Removed
            );
            if !is_erased {
                return Err(SuccessionError::Behind);
            }
        }
    }
    successor.projecting.abort();
    // The only error is the cancellation, which is intended.
    let _ = successor.projecting.await;
    if is_erased {
        keep_checkpoint(projector, &successor.database).await?;
    }
    projector.database.succeed_by(successor.database).await?;
    Ok(())
}

/// Lists say the position of the old file also when the event at it was deleted.
async fn keep_checkpoint(
    projector: &Projector,
    successor: &Database,
) -> Result<(), ReadModelError> {
    let old = projector.database.read(identity::last_applied).await?;
    successor.write(|connection| Ok(identity::set_last_applied(connection, old)?))
}
