//! Builds a file beside the one in use, and puts it in its place.
//!
//! The file is first called `….building`. When it has caught up and no service uses the read model, it
//! is renamed at once. Otherwise it is renamed to `….built`, and the service takes it over
//! (`succession`). A rebuild that is killed leaves files that nobody uses; the next one deletes them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::database::{Database, blocking};
use super::open::{BUILDING, OpenReadModelError, defect};
use super::schema::APPLICATION_ID;
use crate::sqlite_file::{Claim, ClaimError, beside};

/// How often it looks whether the service has taken the file.
const LOOKED_FOR_EVERY: Duration = Duration::from_millis(50);

/// Where the file of a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In the place of the one that was in use.
    InPlace,
    /// Beside the one in use: the service has not taken it over yet, and goes on trying.
    Beside,
}

/// The path of a file that is complete, beside the one in use.
pub(super) fn built(path: &Path) -> PathBuf {
    beside(path, ".built")
}

/// Creates an empty file beside the one at this path. The other one may be in use. Returns its path
/// without symbolic links.
pub(super) async fn open_beside(path: &Path) -> Result<(Database, PathBuf), OpenReadModelError> {
    let path = path.to_owned();
    blocking(move || blocking_open_beside(&path)).await
}

fn blocking_open_beside(path: &Path) -> Result<(Database, PathBuf), OpenReadModelError> {
    let path = match Claim::stake(path, APPLICATION_ID) {
        Ok(claim) => {
            defect(&claim)?;
            claim.path
        }
        Err(ClaimError::InUse(path)) => path,
        Err(error) => return Err(error.into()),
    };
    let database = Database::open(&beside(&path, BUILDING), true);
    let database = database.map_err(OpenReadModelError::of_a_rebuild)?;
    // Only after the lock on the other file, so that no other rebuild creates it again.
    delete_unused(&built(&path)).map_err(OpenReadModelError::of_a_rebuild)?;
    Ok((database, path))
}

/// Deletes what a rebuild left that was killed before a service took it over.
fn delete_unused(path: &Path) -> Result<(), OpenReadModelError> {
    let deleted = match Claim::stake_existing(path, APPLICATION_ID) {
        Ok(claim) => claim.lock.delete(),
        Err(ClaimError::Io(_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => return Err(error.into()),
    };
    deleted.map_err(|error| OpenReadModelError::io(path, error))
}

/// Puts the file in the place of the one at this path. If a service uses that one, this waits until
/// the service has taken over the new file, but not longer than the patience.
pub(super) async fn put_in_place(
    database: Arc<Database>,
    path: &Path,
    patience: Duration,
) -> Result<Placement, OpenReadModelError> {
    if let Some(unused) = open_unused(path).await? {
        unused.succeed_by(database).await?;
        return Ok(Placement::InPlace);
    }
    let built = built(path);
    database.move_to(built.clone()).await?;
    let taken = timeout(patience, taken_over(path, &built)).await;
    taken.unwrap_or(Ok(Placement::Beside))
}

/// Resolves when the file is no longer where the service finds it.
async fn taken_over(path: &Path, built: &Path) -> Result<Placement, OpenReadModelError> {
    loop {
        if !built.exists() {
            return Ok(Placement::InPlace);
        }
        // The service may have been stopped or killed.
        if let Some(unused) = open_unused(path).await?
            && let Ok(database) = open_existing(built).await
        {
            unused.succeed_by(Arc::new(database)).await?;
        }
        sleep(LOOKED_FOR_EVERY).await;
    }
}

/// `None` if a service uses the file.
async fn open_unused(path: &Path) -> Result<Option<Arc<Database>>, OpenReadModelError> {
    let path = path.to_owned();
    match blocking(move || Database::open(&path, false)).await {
        Ok(database) => Ok(Some(Arc::new(database))),
        Err(OpenReadModelError::InUse { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a file that a rebuild has built; it must exist.
pub(super) async fn open_existing(built: &Path) -> Result<Database, OpenReadModelError> {
    let built = built.to_owned();
    blocking(move || Database::open_existing(&built)).await
}
