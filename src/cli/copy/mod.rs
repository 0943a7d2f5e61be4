//! The `copy` command: copies every event of every game from one store to another.
//!
//! It knows the stores through [`EventStore`] alone. An event keeps its id, type, data and metadata,
//! and is appended at exactly its revision. So the target recognises an event that it has already,
//! and a copy can be killed and run again at any time. The position of an event, and the order of
//! events of different games, are those of the target. The time of the first recording is carried in
//! the metadata (`application::upcast`). A game that was deleted in the source is deleted in the target.

mod difference;
mod error;
mod games;
mod patience;
mod progress;
mod settings;
mod target;
mod transfer;

use std::io::{self, Write};
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub use self::difference::{Difference, DifferenceKind};
pub use self::error::{CopyError, exit_code};
pub use self::settings::CopySettings;
pub use self::transfer::{OnDifference, Transfer};
use super::file_size;
use crate::event_store::{self, EventStore};

/// Copies or compares, and prints a summary.
pub async fn run(settings: &CopySettings) -> Result<(), CopyError> {
    file_size::survive_limit()?;
    // From here on, so that a signal while a store opens is not missed.
    let signals = Signals::new()?;
    let (from, to) = open(settings).await?;
    let (source, target) = (from.location(), to.location());
    match settings.verify {
        true => writeln!(io::stdout(), "Comparing {source} with {target}")?,
        false => writeln!(io::stdout(), "Copying {source} to {target}")?,
    }
    let on_difference = match settings.keep_going || settings.verify {
        true => OnDifference::List,
        false => OnDifference::Stop,
    };
    let transfer = Transfer::new(from, to, on_difference);
    let stop = CancellationToken::new();
    let outcome = tokio::select! {
        outcome = work(settings, &transfer, &stop) => outcome,
        () = stopped(signals, &transfer, &stop) => Err(CopyError::Stopped),
    };
    transfer.progress().hide();
    summarise(settings, &transfer)?;
    outcome?;
    match transfer.progress().differing.get() {
        0 => Ok(()),
        games => Err(CopyError::Differences(games)),
    }
}

/// Opens the source before the target: an error about it must not leave a new file.
async fn open(
    settings: &CopySettings,
) -> Result<(Arc<dyn EventStore>, Arc<dyn EventStore>), CopyError> {
    let (from, to) = (&settings.from, &settings.to);
    if [from, to].contains(&&"memory:".to_owned()) {
        return Err(CopyError::InMemory);
    }
    let from = event_store::open_to_read(from).await;
    let from = from.map_err(CopyError::OpenSource)?;
    if settings.from == settings.to {
        return Err(CopyError::SameStore(from.location()));
    }
    let to = match settings.verify {
        true => event_store::open_to_read(to).await,
        false => event_store::open(to).await,
    };
    let to = to.map_err(CopyError::OpenTarget)?;
    if from.location() == to.location() {
        return Err(CopyError::SameStore(from.location()));
    }
    Ok((from, to))
}

async fn work(
    settings: &CopySettings,
    transfer: &Transfer,
    stop: &CancellationToken,
) -> Result<(), CopyError> {
    if settings.verify {
        return transfer.verify().await;
    }
    let end = transfer.copy().await?;
    if settings.follow {
        transfer.progress().hide();
        transfer.progress().say(
            "Caught up, and following. To move a service: stop it, then stop this program, which \
             copies the last events first",
        );
        transfer.follow(end, stop).await?;
    }
    Ok(())
}

/// Resolves when a signal ends the copy at once. The first signal while following only asks for the
/// end.
async fn stopped(mut signals: Signals, transfer: &Transfer, stop: &CancellationToken) {
    signals.next().await;
    if transfer.is_following() {
        stop.cancel();
        signals.next().await;
    }
}

fn summarise(settings: &CopySettings, transfer: &Transfer) -> io::Result<()> {
    let progress = transfer.progress();
    let verb = match settings.verify {
        true => "Compared",
        false => "Copied",
    };
    let mut out = io::stdout();
    writeln!(
        out,
        "{verb} {} events in {:.1} s, {} a second",
        progress.events.get(),
        progress.seconds(),
        progress.rate()
    )?;
    for (count, what) in [
        (progress.games.get(), "Games"),
        (progress.present.get(), "Events that the target had already"),
        (
            progress.longer.get(),
            "Games with more events in the target",
        ),
        (
            progress.deleted.get(),
            "Games that were deleted in the source",
        ),
        (
            progress.erased.get(),
            "Games that were therefore deleted in the target",
        ),
        (progress.differing.get(), "Games that differ in the target"),
    ] {
        if count > 0 {
            writeln!(out, "{what}: {count}")?;
        }
    }
    Ok(())
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
