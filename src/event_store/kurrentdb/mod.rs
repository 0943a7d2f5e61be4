//! The production store: KurrentDB, through its official crate.
//!
//! Each file is responsible for one thing that the crate or the server leaves to its user:
//! `connection_string` for what may be connected to, `connect` for a client that can be
//! closed, `client` for one that works, `append` and `read` for one call each, `repetitions`
//! for the same append twice at once, `subscription` for calls that never end, `place` for
//! where they resume, `error` for what an error means, `outage` and `access` for what is
//! logged of it, `nodelay` for 40 ms per call, and `loop_breaker` for an endless loop.

mod access;
mod append;
mod backoff;
mod client;
mod connect;
mod connection_string;
mod error;
mod loop_breaker;
mod nodelay;
mod outage;
mod place;
mod read;
mod repetitions;
mod subscription;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use kurrentdb::Client;

pub use connection_string::{ConnectionString, InvalidConnectionString};

use super::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use access::Call;
use client::Supervisor;
use connect::OwnedClient;
use error::Failure;
use read::{Page, Reading};
use repetitions::UnderWay;

/// How long a check may wait. Who asks for readiness does not wait long.
const CHECK: Duration = Duration::from_secs(1);

/// Events in a KurrentDB, shared by all who connect to it.
///
/// Its user needs leave to read and write streams, and to read `$all`.
#[derive(Debug)]
pub struct KurrentDbStore {
    supervisor: Arc<Supervisor>,
    under_way: Arc<UnderWay>,
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
        let client = OwnedClient::new(&connection).await;
        client.map_err(InvalidConnectionString::new)?;
        Ok(KurrentDbStore {
            supervisor: Supervisor::start(connection).await,
            under_way: Arc::default(),
        })
    }

    async fn attempt<T, F>(
        &self,
        kind: Call,
        call: impl Fn(Client, Arc<ConnectionString>) -> F + Send + Sync + 'static,
    ) -> Result<T, EventStoreError>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        let limit = self.supervisor.connection().call_timeout();
        read::attempt(&self.supervisor, kind, limit, call).await
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
        let append = |events| {
            let supervisor = self.supervisor.clone();
            append::append(supervisor, stream.clone(), expected, events)
        };
        self.under_way.join(stream, expected, events, append).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        let name = stream.clone();
        let read = move |client, connection| read::stream(client, connection, name.clone(), from);
        match self.attempt(Call::ReadStreams, read).await? {
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
        let read = move |client, connection| read::all(client, connection, prefix, after, limit);
        match self.attempt(Call::ReadAll, read).await? {
            Page::Events(events) => Ok(events),
            // The server answers a position beyond its end as it answers the end itself.
            Page::NothingFrom(position) => match Some(position) > self.head().await? {
                true => Err(EventStoreError::PositionBeyondHead { position }),
                false => Ok(Vec::new()),
            },
            Page::BeyondHead(position) => Err(EventStoreError::PositionBeyondHead { position }),
            Page::NoEventAt(position) => Err(EventStoreError::NoEventAtPosition { position }),
        }
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        let read = move |client, connection| read::at(client, connection, position);
        self.attempt(Call::ReadAll, read).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        subscription::subscribe(self.supervisor.clone(), prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.attempt(Call::ReadAll, read::head).await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        let limit = self.supervisor.connection().call_timeout().min(CHECK);
        read::attempt(&self.supervisor, Call::ReadStreams, limit, connect::probe).await
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
