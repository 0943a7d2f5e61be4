//! Serves an [`App`] on a listener until a shutdown signal.

mod connections;

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::http::{App, router};

/// How long answers that are under way may take when the service stops. Orchestrators kill
/// after ten seconds or more; people expect a second or two.
const DRAIN: Duration = Duration::from_millis(1500);

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
