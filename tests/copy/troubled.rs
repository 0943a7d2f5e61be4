//! Stores that fail, or change, at a moment that a test cannot choose from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use futures_util::{StreamExt, stream};

/// A store in memory that has a trouble.
#[derive(Debug)]
pub(crate) struct Troubled {
    store: Arc<MemoryStore>,
    trouble: Trouble,
}

#[derive(Debug)]
enum Trouble {
    /// It answers nothing from the first append or subscription on.
    GoesAway(AtomicBool),
    /// Each stream is deleted when it has been read, here and in this other store.
    IsErased(Arc<MemoryStore>),
}

impl Troubled {
    /// A store that goes away for ever when it is appended or subscribed to.
    pub(crate) fn goes_away() -> Arc<dyn EventStore> {
        let trouble = Trouble::GoesAway(AtomicBool::new(false));
        let store = Arc::default();
        Arc::new(Troubled { store, trouble })
    }

    /// A store whose streams are deleted when they have been read, here and in the other store.
    pub(crate) fn is_erased(
        store: Arc<MemoryStore>,
        other: Arc<MemoryStore>,
    ) -> Arc<dyn EventStore> {
        let trouble = Trouble::IsErased(other);
        Arc::new(Troubled { store, trouble })
    }

    fn go_away(&self) {
        if let Trouble::GoesAway(is_away) = &self.trouble {
            is_away.store(true, Ordering::Relaxed);
        }
    }

    fn check_is_there(&self) -> Result<(), EventStoreError> {
        match &self.trouble {
            Trouble::GoesAway(is_away) if is_away.load(Ordering::Relaxed) => {
                Err(EventStoreError::Unavailable {
                    reason: "away".to_owned(),
                })
            }
            Trouble::GoesAway(_) | Trouble::IsErased(_) => Ok(()),
        }
    }
}

#[async_trait]
impl EventStore for Troubled {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.go_away();
        self.check_is_there()?;
        self.store.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.check_is_there()?;
        let slice = self.store.read_stream(stream, from).await;
        if let Trouble::IsErased(other) = &self.trouble {
            self.store.delete_stream(stream).await?;
            other.delete_stream(stream).await?;
        }
        slice
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        self.check_is_there()?;
        self.store.read_all(prefix, after, limit).await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.check_is_there()?;
        self.store.event_at(position).await
    }

    /// A subscription of a store that is away says nothing.
    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        self.go_away();
        match self.check_is_there() {
            Ok(()) => self.store.subscribe_all(prefix, after),
            Err(_) => stream::pending().boxed(),
        }
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.check_is_there()?;
        self.store.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.check_is_there()
    }

    fn location(&self) -> String {
        self.store.location()
    }
}
