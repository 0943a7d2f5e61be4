//! The production store: KurrentDB, through its official crate.
//!
//! Each file answers for one thing that the crate or the server leaves to its user:
//! `connection_string` for what may be connected to, `client` for a client that works,
//! `append` and `read` for one call each, `subscription` for all calls that never end,
//! `error` for what an error means, `nodelay` for 40 ms per call, and `loop_breaker` for a
//! loop without an end.

mod append;
mod backoff;
mod client;
mod connection_string;
mod error;
mod loop_breaker;
mod nodelay;
mod read;
mod subscription;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

pub use connection_string::{ConnectionString, InvalidConnectionString};

use super::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use client::Supervisor;
use read::Reading;

/// How long a check may wait. Who asks for readiness does not wait long.
const CHECK: Duration = Duration::from_secs(1);

/// Events in a KurrentDB, shared by all who connect to it.
///
/// Its user needs leave to read and write streams, and to read `$all`.
#[derive(Debug)]
pub struct KurrentDbStore {
    supervisor: Arc<Supervisor>,
}

impl KurrentDbStore {
    /// Connects to the database, and goes on trying when it cannot be reached: the store is
    /// there in any case and says [`Unavailable`](EventStoreError::Unavailable) until the
    /// database is there too.
    ///
    /// # Errors
    ///
    /// A file of certificates or keys that cannot be read.
    pub async fn open(connection: ConnectionString) -> Result<Self, InvalidConnectionString> {
        let connection = Arc::new(connection);
        // Connects to nothing, but reads the files.
        let client = client::new_client(&connection).await;
        client.map_err(InvalidConnectionString::new)?;
        Ok(KurrentDbStore {
            supervisor: Supervisor::start(connection).await,
        })
    }
}

#[async_trait]
impl EventStore for KurrentDbStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        if events.is_empty() {
            return Err(EventStoreError::empty_append(stream));
        }
        // In a task of its own: whoever stops waiting must not take the append back halfway,
        // and a panic in the crate leaves an outcome to be told.
        let supervisor = self.supervisor.clone();
        let append = append::append(supervisor, stream.clone(), expected, events);
        tokio::spawn(append).await.unwrap_or_else(|error| {
            Err(EventStoreError::OutcomeUnknown {
                reason: error.to_string(),
            })
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        let name = stream.clone();
        let read = move |client, connection| read::stream(client, connection, name.clone(), from);
        let limit = self.supervisor.connection().call_timeout();
        match read::attempt(&self.supervisor, limit, read).await? {
            Reading::Slice(slice) => Ok(slice),
            Reading::Deleted => Err(EventStoreError::StreamDeleted {
                stream: stream.clone(),
            }),
        }
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        let time_limit = self.supervisor.connection().call_timeout();
        let read = move |client, connection| read::all(client, connection, prefix, after, limit);
        let outcome = read::attempt(&self.supervisor, time_limit, read).await;
        let Some(position) = after else {
            return outcome;
        };
        match outcome {
            // The server's answer to a position at which no record begins.
            Err(EventStoreError::Refused { .. }) => {
                Err(EventStoreError::NoEventAtPosition { position })
            }
            // It answers a position beyond its end as it answers the end itself.
            Ok(events) if events.is_empty() && after > self.head().await? => {
                Err(EventStoreError::PositionBeyondHead { position })
            }
            outcome => outcome,
        }
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        let limit = self.supervisor.connection().call_timeout();
        let read = move |client, connection| read::at(client, connection, position);
        match read::attempt(&self.supervisor, limit, read).await {
            Err(EventStoreError::Refused { .. }) => Ok(AtPosition::Nothing),
            outcome => outcome,
        }
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        subscription::subscribe(self.supervisor.connection().clone(), prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        let limit = self.supervisor.connection().call_timeout();
        read::attempt(&self.supervisor, limit, read::head).await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        let limit = self.supervisor.connection().call_timeout().min(CHECK);
        read::attempt(&self.supervisor, limit, client::probe).await
    }

    fn location(&self) -> String {
        self.supervisor.connection().location().to_owned()
    }
}

/// How often one call may be tried: three times, none begun after the time of one call. A
/// failure that took no time tells that the connection is gone, the second one that the node
/// is, which brings another client.
struct Attempts {
    left: u32,
    until: Instant,
}

impl Attempts {
    fn new(call_timeout: Duration) -> Attempts {
        Attempts {
            left: 2,
            // A call that ran into its timeout may be repeated once.
            until: Instant::now() + call_timeout + call_timeout / 2,
        }
    }

    /// Waits a little before another attempt; false when there is none.
    async fn another(&mut self) -> bool {
        if self.left == 0 || Instant::now() >= self.until {
            return false;
        }
        self.left -= 1;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(5..25))).await;
        true
    }
}

fn position(position: kurrentdb::Position) -> GlobalPosition {
    GlobalPosition::new(position.commit, position.prepare)
}
