//! The composition root: opens the store, builds the service, serves it and stops it.

mod connections;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::ServeSettings;
use crate::event_store::{self, OpenError};
use crate::http::{App, router};
use crate::read_model::{OpenReadModelError, ReadModel};

/// How long answers that are under way may take when the service stops. Orchestrators kill
/// after ten seconds or more; people expect a second or two.
const DRAIN: Duration = Duration::from_millis(1500);

/// Why the service does not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The read model cannot be kept where it was asked to.
    #[error(transparent)]
    ReadModel(#[from] OpenReadModelError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The listener or the signal handlers failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves as the settings say, until SIGINT or SIGTERM.
pub async fn run(settings: &ServeSettings) -> Result<(), ServeError> {
    let shutdown = shutdown_signal()?;
    let store = event_store::open(&settings.stores.event_store).await?;
    let read_model = settings.stores.read_model();
    let app = {
        let opened = ReadModel::open(&read_model).await?;
        App::with_read_model(store.clone(), Arc::new(opened))
    };
    let address = settings.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| ServeError::Listen { address, error })?;
    let address = listener.local_addr()?;
    let location = store.location();
    tracing::info!(
        %address,
        "serving on http://{address}, events in {location}, read model in {read_model}"
    );
    serve(
        app.requiring_if_match(settings.require_if_match),
        listener,
        shutdown,
    )
    .await;
    tracing::info!("stopped");
    Ok(())
}

/// Serves on this listener until the shutdown signal, then finishes the answers that are
/// under way, within a second and a half.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let live = app.live();
    let (stop, mut stopping) = watch::channel(false);
    let serving = connections::serve(listener, router(app), async move {
        shutdown.await;
        tracing::info!("stopping");
        // First, since the server waits for every answer, and theirs would not end.
        live.stop();
        stop.send_replace(true);
    });
    let too_long = async {
        // An error means that the server ended and took the sender with it.
        if stopping.wait_for(|stopping| *stopping).await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = too_long => tracing::warn!("stopped before every connection was done"),
    }
}

/// Resolves at the first SIGINT or SIGTERM. Signals are caught from the call on, not from
/// the first poll, so that none is missed while the store opens.
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
