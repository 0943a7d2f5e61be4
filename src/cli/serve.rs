//! `connect-four serve`: opens the stores, builds the service and serves it until a signal.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::file_size;
use super::listen::ListenAddress;
use super::settings::{ServeSettings, StoreSettings};
use crate::event_store::{self, OpenError};
use crate::http::App;
use crate::read_model::{OpenReadModelError, ReadModel, ReadModelLocation};
use crate::server;
use crate::telemetry::{self, Logs, TelemetryError, Traces};

/// How long writing the last log lines may delay the end of the process, including the time for [`LAST_TRACES`].
const LAST_LINES: Duration = Duration::from_millis(500);
const LAST_TRACES: Duration = Duration::from_millis(300);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Logging cannot be started.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The read model cannot be opened.
    #[error(transparent)]
    ReadModel(#[from] OpenReadModelError),
    /// The address is not available.
    #[error("cannot listen on {address}: {error}; choose another with --listen")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// The system's error.
        error: io::Error,
    },
    /// The listener or a signal handler failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves until SIGINT or SIGTERM.
pub async fn run(settings: &ServeSettings) -> Result<(), ServeError> {
    file_size::survive_limit()?;
    let traces = Traces::from_environment().map_err(TelemetryError::from)?;
    let logs = telemetry::init(settings.log_format, &settings.log, &traces)?;
    let served = serve(settings, &logs).await;
    let ended = Instant::now();
    traces.flush(LAST_TRACES).await;
    logs.flush(LAST_LINES.saturating_sub(ended.elapsed()));
    served
}

async fn serve(settings: &ServeSettings, logs: &Logs) -> Result<(), ServeError> {
    let shutdown = shutdown_signal()?;
    if let Err(error) = server::raise_descriptor_limit() {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
    let store = event_store::open(&settings.stores.event_store).await?;
    let (read_model, opened) = open_read_model(&settings.stores).await?;
    let app = App::with_read_model(store.clone(), Arc::new(opened));
    let app = app
        .requiring_if_match(settings.require_if_match)
        .counting_lost_lines(logs.clone());
    let app = match settings.computer() {
        Some(computer) => app.with_computer(computer)?,
        None => app,
    };
    let listener = TcpListener::bind(settings.listen.to_string())
        .await
        .map_err(|error| ServeError::Listen {
            address: settings.listen.clone(),
            error,
        })?;
    let address = listener.local_addr()?;
    let location = store.location();
    tracing::info!(
        %address,
        "serving on http://{address}, events in {location}, read model in {read_model}"
    );
    server::serve(app, listener, shutdown).await;
    tracing::info!("stopped");
    Ok(())
}

/// Replicas that share a state directory cannot share the file in it, for example while one takes the
/// place of the other. Those that come later keep the read model in memory.
async fn open_read_model(
    settings: &StoreSettings,
) -> Result<(ReadModelLocation, ReadModel), OpenReadModelError> {
    let location = settings.read_model();
    match ReadModel::open(&location).await {
        Err(error @ OpenReadModelError::InUse { .. }) if settings.state_directory().is_some() => {
            tracing::warn!(%error, "another process uses the state directory: the read model is in memory");
            Ok((ReadModelLocation::Memory, ReadModel::in_memory()))
        }
        opened => Ok((location, opened?)),
    }
}

/// Resolves at the first SIGINT or SIGTERM. Signals are caught from the call on, not from the
/// first poll, so that a signal while the store opens is not missed.
fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
