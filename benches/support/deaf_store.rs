//! A store whose subscriptions deliver no events, to measure the service without its read model.

use std::sync::Arc;

use async_trait::async_trait;
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription, SubscriptionMessage,
};
use futures_util::{StreamExt, stream};

#[derive(Debug)]
pub(crate) struct DeafStore(pub(crate) Arc<dyn EventStore>);

#[async_trait]
impl EventStore for DeafStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.0.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.0.read_stream(stream, from).await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        self.0.read_all(prefix, after, limit).await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.0.event_at(position).await
    }

    fn subscribe_all(&self, _: &'static str, _: Option<GlobalPosition>) -> Subscription {
        // It seems to have caught up, so that the service decides on the games that it remembers.
        let caught_up = stream::iter([SubscriptionMessage::CaughtUp]);
        caught_up.chain(stream::pending()).boxed()
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.0.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.0.check().await
    }

    fn location(&self) -> String {
        self.0.location()
    }
}
