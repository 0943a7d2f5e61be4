//! Implements [`EventStore`] with the other files of this folder.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kurrentdb::Client;

use super::access::Call;
use super::append;
use super::client::Supervisor;
use super::connect;
use super::connect::OwnedClient;
use super::connection_string::{ConnectionString, InvalidConnectionString};
use super::delete;
use super::error::Failure;
use super::read;
use super::read::{Page, Reading};
use super::repetitions::AppendsInFlight;
use super::subscription;
use crate::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};

/// How long a readiness check may take. Its callers, such as an orchestrator, do not wait long.
const CHECK: Duration = Duration::from_secs(1);

/// Stores events in KurrentDB, which several processes can share.
///
/// Its user needs permission to read and write streams, and to read `$all`.
#[derive(Debug)]
pub struct KurrentDbStore {
    supervisor: Arc<Supervisor>,
    in_flight: Arc<AppendsInFlight>,
}

impl KurrentDbStore {
    /// Connects to the database. If it cannot be reached, returns a store all the same and
    /// retries in the background. Until the database answers, calls fail with
    /// [`Unavailable`](EventStoreError::Unavailable).
    ///
    /// # Errors
    ///
    /// When a file of certificates or keys cannot be read.
    pub async fn open(connection: ConnectionString) -> Result<Self, InvalidConnectionString> {
        let connection = Arc::new(connection);
        // Does not connect, but reads the files of certificates and keys.
        let client = OwnedClient::new(&connection).await;
        client.map_err(InvalidConnectionString::new)?;
        Ok(KurrentDbStore {
            supervisor: Supervisor::start(connection).await,
            in_flight: Arc::default(),
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
        self.in_flight.join(stream, expected, events, append).await
    }

    async fn delete_stream(&self, stream: &StreamName) -> Result<(), EventStoreError> {
        let name = stream.clone();
        let delete = move |client, connection| delete::tombstone(client, connection, name.clone());
        self.attempt(Call::Delete, delete).await
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
            // The server gives the same answer for its last position and for any later one.
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
