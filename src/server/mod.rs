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

/// How long requests in progress may take when the service stops. Orchestrators kill a process after
/// 10 s or more; a person at a terminal expects it to stop within 1 or 2 s.
const DRAIN: Duration = Duration::from_millis(1500);

/// Why the service does not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The event store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The read model cannot be opened.
    #[error(transparent)]
    ReadModel(#[from] OpenReadModelError),
    /// The service cannot listen on the address.
    #[error("cannot listen on {address}: {error}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The listener or the signal handlers failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Runs the service with these settings until SIGINT or SIGTERM.
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

/// Serves on this listener until `shutdown` resolves. Then waits for the requests in progress, but no
/// longer than 1.5 s.
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
        // First, since the server waits for every response, and the responses to watchers do not end
        // by themselves.
        live.stop();
        stop.send_replace(true);
    });
    let too_long = async {
        // An error means that the server has ended and dropped the sender.
        if stopping.wait_for(|stopping| *stopping).await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = too_long => tracing::warn!("stopped while requests were still in progress"),
    }
}

/// Resolves at the first SIGINT or SIGTERM. The handlers are installed by the call and not by the
/// first poll, so that no signal is missed while the store opens.
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
