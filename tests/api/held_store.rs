//! A store that counts its subscriptions and can hold back their events, so that a test can keep the
//! read model or the hub behind for as long as it needs.

use std::sync::Arc;

use async_trait::async_trait;
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use futures_util::StreamExt;
use tokio::sync::watch;

/// Which subscriptions may deliver events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Nothing,
    WhatWasThere,
    Everything,
}

#[derive(Debug)]
pub(crate) struct HeldStore {
    store: Arc<dyn EventStore>,
    flow: watch::Sender<Flow>,
    /// Has one clone for each open subscription and bounded read, plus this one.
    open: Arc<()>,
}

impl HeldStore {
    /// A store whose subscriptions are held back at first.
    pub(crate) fn new(store: Arc<dyn EventStore>) -> Arc<HeldStore> {
        let flow = watch::Sender::new(Flow::Nothing);
        let open = Arc::default();
        Arc::new(HeldStore { store, flow, open })
    }

    /// The number of open subscriptions and bounded reads.
    pub(crate) fn subscriptions(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    pub(crate) fn let_go(&self) {
        self.flow.send_replace(Flow::Everything);
    }

    pub(crate) fn hold(&self) {
        self.flow.send_replace(Flow::Nothing);
    }

    /// Holds back new subscriptions and the answers of bounded reads.
    pub(crate) fn hold_new_ones(&self) {
        self.flow.send_replace(Flow::WhatWasThere);
    }
}

#[async_trait]
impl EventStore for HeldStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.store.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.store.read_stream(stream, from).await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        let _open = self.open.clone();
        let mut flow = self.flow.subscribe();
        let is_held = *flow.borrow() == Flow::WhatWasThere;
        let events = self.store.read_all(prefix, after, limit).await;
        if is_held {
            // An error means that the store was dropped because the test ended.
            let _ = flow.wait_for(|flow| *flow == Flow::Everything).await;
        }
        events
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.store.event_at(position).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        let flow = self.flow.subscribe();
        let is_new = *flow.borrow() == Flow::WhatWasThere;
        let open = self.open.clone();
        let messages = self.store.subscribe_all(prefix, after);
        messages
            .then(move |message| {
                let _open = &open;
                let mut flow = flow.clone();
                async move {
                    // An error means that the store was dropped because the test ended.
                    let _ = flow
                        .wait_for(|flow| match flow {
                            Flow::Nothing => false,
                            Flow::WhatWasThere => !is_new,
                            Flow::Everything => true,
                        })
                        .await;
                    message
                }
            })
            .boxed()
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.store.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.store.check().await
    }

    fn location(&self) -> String {
        self.store.location()
    }
}
