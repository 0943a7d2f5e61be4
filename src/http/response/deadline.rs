//! The time limit of a handler.

use std::time::Duration;

use tokio::time::timeout;
use tracing::debug;

use crate::http::problem::Problem;

/// How long a handler may take before the client gets a 503 or 504. The time that the client asked to wait is
/// added to it.
pub(crate) const HANDLER_TIMEOUT: Duration = Duration::from_secs(5);

/// Limits the store calls of a handler whose own time limit is longer.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, Problem> {
    timeout(HANDLER_TIMEOUT, work).await.map_err(|_| {
        debug!("the event store did not respond in time");
        Problem::store_unavailable()
    })
}
