//! The time that a handler has.

use std::time::Duration;

use tokio::time::timeout;
use tracing::debug;

use crate::http::problem::Problem;

/// How long a handler may take until the client is told that it took too long; not counting
/// the time for which the client asked to wait.
pub(crate) const HANDLER_TIMEOUT: Duration = Duration::from_secs(5);

/// For the store's part of a handler that may take longer than others.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, Problem> {
    timeout(HANDLER_TIMEOUT, work).await.map_err(|_| {
        debug!("the event store took too long");
        Problem::store_unavailable()
    })
}
