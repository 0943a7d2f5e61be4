//! The `rebuild` command: builds the read model again from the events, and shows the progress.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::file_size;
use super::progress_bar::ProgressBar;
use super::settings::StoreSettings;
use crate::event_store::{self, EventStoreError, GlobalPosition, OpenError};
use crate::read_model::{OpenReadModelError, ReadModel, ReadModelLocation};

/// Why the read model was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The read model is in memory.
    #[error(
        "there is nothing to rebuild: a read model in memory is built at every start; to rebuild \
         a file, name it with --read-model"
    )]
    InMemory,
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
    /// The progress cannot be printed.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// How many attempts in a row may fail, within about two seconds. A lock or the loss of a connection
/// passes in that time.
const ATTEMPTS: u64 = 5;

/// Empties the read model, applies all events and prints a summary. Ends when it reaches the end of
/// the store, including events that are recorded meanwhile.
pub async fn run(settings: &StoreSettings) -> Result<(), RebuildError> {
    file_size::survive_limit()?;
    let location = settings.read_model();
    if location == ReadModelLocation::Memory {
        return Err(RebuildError::InMemory);
    }
    let store = event_store::open(&settings.event_store).await?;
    let head = store.head().await?;
    let model = Arc::new(ReadModel::open_empty(&location).await?);
    let mut out = io::stdout();
    writeln!(out, "Rebuilding {location} from {}", store.location())?;
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
    drop(projecting);
    bar.hide();
    if let Some(error) = failed {
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
    Ok(())
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
