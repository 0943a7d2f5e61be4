//! Serves an [`App`] on a listener until a shutdown signal.

mod connections;
mod descriptors;
mod in_flight;
mod preface;
mod streams;

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::descriptors::raise_descriptor_limit;
use crate::http::{App, router, too_many_connections};

/// How long requests in progress may take when the service stops. Orchestrators kill a process after
/// 10 s or more; a person at a terminal expects it to stop within 1 or 2 s.
const DRAIN: Duration = Duration::from_millis(1500);

/// Serves on this listener until `shutdown` resolves. Then waits for the requests in progress, but
/// no longer than 1.5 s.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let live = app.live();
    let (stop, mut stopping) = watch::channel(false);
    let refusing = too_many_connections(app.clone());
    let serving = connections::serve(listener, router(app), refusing, async move {
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
