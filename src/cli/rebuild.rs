//! The `rebuild` command: builds the read model again from the events, in a file beside the one in use,
//! and shows the progress. A service may be running; it answers lists from the old file until it takes
//! over the new one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::file_size;
use super::progress_bar::ProgressBar;
use super::settings::StoreSettings;
use crate::event_store::{self, EventStoreError, GlobalPosition, OpenError};
use crate::read_model::{OpenReadModelError, Placement, ReadModel, ReadModelLocation};

/// Why the read model was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The event store cannot be opened.
    #[error(transparent)]
    OpenStore(#[from] OpenError),
    /// The event store does not answer.
    #[error(transparent)]
    Store(#[from] EventStoreError),
    /// The read model cannot be opened.
    #[error(transparent)]
    ReadModel(#[from] OpenReadModelError),
    /// The events cannot be read, or the read model cannot be written.
    #[error(
        "the read model was not rebuilt ({0}): check that the event store answers and that the disk \
         works and has free space"
    )]
    Failed(String),
    /// The service does not use the new file.
    #[error(
        "the read model was rebuilt, but the service that uses {} has not taken over the new file in \
         time: its log says why, and it goes on trying",
        path.display()
    )]
    NotTakenOver {
        /// The file that the service uses.
        path: PathBuf,
    },
    /// The progress cannot be printed.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// How many attempts in a row may fail, within about two seconds. A lock or the loss of a connection
/// passes in that time.
const ATTEMPTS: u64 = 5;

/// How long a service may take until it uses the new file. It needs less than a second, and more only
/// if it has to catch up first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Applies all events to an empty read model, puts it in the place of the old one and prints a summary.
/// The new one has the events that are recorded meanwhile as well.
pub async fn run(settings: &StoreSettings) -> Result<(), RebuildError> {
    file_size::survive_limit()?;
    let mut out = io::stdout();
    match settings.read_model() {
        ReadModelLocation::File(path) => rebuild(settings, &path, &mut out).await,
        ReadModelLocation::Memory => Ok(writeln!(
            out,
            "There is nothing to rebuild: the read model is in memory, and is built at every start of \
             the service. To rebuild a file, name it with --read-model"
        )?),
    }
}

async fn rebuild(
    settings: &StoreSettings,
    path: &Path,
    out: &mut io::Stdout,
) -> Result<(), RebuildError> {
    // Not `open`: a service may be using a SQLite file.
    let store = event_store::open_to_read(&settings.event_store).await?;
    let head = store.head().await?;
    let model = Arc::new(ReadModel::open_beside(path).await?);
    let (file, location) = (path.display(), store.location());
    writeln!(out, "Rebuilding {file} from {location}")?;
    let bar = ProgressBar::new();
    let began = Instant::now();
    let projecting = model.start(store, Arc::new(()));
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let failed = tokio::select! {
        () = model.caught_up() => None,
        error = model.failed(ATTEMPTS) => Some(error),
        () = async { loop { ticks.tick().await; show(&bar, &model, head, began); } } => None,
    };
    projecting.stop().await;
    bar.hide();
    if let Some(error) = failed {
        // Its place on the disk may be needed. If it cannot be deleted, the next rebuild does that.
        let _ = model.delete().await;
        return Err(RebuildError::Failed(error));
    }
    let status = model.status();
    writeln!(
        out,
        "Rebuilt from {} events in {:.1} s, {} a second",
        status.events_applied,
        began.elapsed().as_secs_f64(),
        rate(status.events_applied, began),
    )?;
    if status.unreadable_streams > 0 {
        writeln!(
            out,
            "Streams that are not valid games, left out of lists: {}",
            status.unreadable_streams
        )?;
    }
    match model.put_in_place(PATIENCE).await? {
        Placement::InPlace => Ok(writeln!(out, "The new file is in use")?),
        Placement::Beside => {
            let path = path.to_owned();
            Err(RebuildError::NotTakenOver { path })
        }
    }
}

fn show(bar: &ProgressBar, model: &ReadModel, head: Option<GlobalPosition>, began: Instant) {
    if let (Some(position), Some(head)) = (model.position(), head) {
        bar.show_position(position, head);
    }
    let events = model.status().events_applied;
    bar.show_events(events, rate(events, began));
}

fn rate(events: u64, began: Instant) -> u64 {
    (events as f64 / began.elapsed().as_secs_f64().max(1e-3)) as u64
}
