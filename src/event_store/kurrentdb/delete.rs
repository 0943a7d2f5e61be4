//! Deletes streams by tombstoning them. The server then refuses every read and every append.

use std::sync::Arc;

use kurrentdb::{Client, TombstoneStreamOptions};

use super::connection_string::ConnectionString;
use super::error::Failure;
use crate::event_store::StreamName;

/// Tombstones the stream, whether or not it exists. May be repeated after a failure: a stream that
/// has a tombstone does not get another one.
pub(super) async fn tombstone(
    client: Client,
    connection: Arc<ConnectionString>,
    stream: StreamName,
) -> Result<(), Failure> {
    let options = TombstoneStreamOptions::default().requires_leader(true);
    let options = connection.authenticate(options, TombstoneStreamOptions::authenticated);
    let deleted = client.tombstone_stream(stream.as_str(), &options).await;
    match deleted.map_err(Failure::from) {
        Ok(_) | Err(Failure::Deleted) => Ok(()),
        Err(failure) => Err(failure),
    }
}
