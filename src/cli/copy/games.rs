//! Finds the games in the source, also those that were deleted.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::ReadyChunks;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::time::timeout;

use super::error::CopyError;
use super::patience::{Patience, Side};
use super::progress::Progress;
use crate::application::GAME_STREAM_PREFIX;
use crate::event_store::{
    EventStore, EventStoreError, GlobalPosition, RecordedEvent, StreamName, StreamRevision,
    Subscription, SubscriptionMessage,
};

/// How many messages of a subscription are taken together.
const MESSAGES: usize = 4096;

/// How long a subscription may be silent before the source is asked whether it still answers: a
/// subscription itself never fails.
const SILENCE: Duration = Duration::from_secs(5);

/// The source, and how patiently it is read.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) patience: Arc<Patience>,
    pub(super) progress: Arc<Progress>,
}

/// What a subscription says about a game.
#[derive(Debug)]
pub(super) enum Found {
    /// It begins at this position.
    Begun(StreamName, GlobalPosition),
    /// It was deleted, or its first events were.
    Deleted(StreamName),
}

impl Found {
    pub(super) fn stream(&self) -> &StreamName {
        match self {
            Found::Begun(stream, _) | Found::Deleted(stream) => stream,
        }
    }
}

/// What is left of a game.
#[derive(Debug)]
pub(super) enum Game {
    /// All of its events.
    Whole(Vec<RecordedEvent>),
    /// Not its first events, which were deleted.
    Truncated,
    /// Nothing.
    Deleted,
}

/// A subscription whose messages are taken together.
pub(super) type Messages = ReadyChunks<Subscription>;

impl Source {
    pub(super) async fn head(&self) -> Result<Option<GlobalPosition>, CopyError> {
        self.patience
            .call(Side::Source, &self.progress, || self.store.head())
            .await?
            .map_err(CopyError::Source)
    }

    /// What happened after the position, and what happens from now on.
    pub(super) fn subscribe(&self, after: Option<GlobalPosition>) -> Messages {
        let messages = self.store.subscribe_all(GAME_STREAM_PREFIX, after);
        messages.ready_chunks(MESSAGES)
    }

    /// The next messages, which were ready at the same time.
    pub(super) async fn next(
        &self,
        messages: &mut Messages,
    ) -> Result<Vec<SubscriptionMessage>, CopyError> {
        loop {
            match timeout(SILENCE, messages.next()).await {
                Ok(taken) => return Ok(taken.unwrap_or_default()),
                Err(_) => drop(self.head().await?),
            }
        }
    }

    /// The messages until the subscription has caught up, at the latest until `head`.
    pub(super) fn until(
        self,
        head: Option<GlobalPosition>,
        messages: Messages,
    ) -> impl Stream<Item = Result<Vec<SubscriptionMessage>, CopyError>> + Send {
        let is_last = move |message: &SubscriptionMessage| match message {
            SubscriptionMessage::Recorded(event) => Some(event.position) >= head,
            SubscriptionMessage::CaughtUp => true,
            SubscriptionMessage::StreamTruncated(_) | SubscriptionMessage::Disconnected => false,
        };
        let begin = Some((messages, self));
        stream::try_unfold(begin, move |place| async move {
            let Some((mut messages, source)) = place else {
                return Ok(None);
            };
            let taken = source.next(&mut messages).await?;
            let is_over = taken.iter().any(is_last);
            let place = (!is_over).then_some((messages, source));
            Ok(Some((taken, place)))
        })
    }

    /// Each game once, in the order in which the games began, and those that were deleted. A game is
    /// found by its first event, so nothing has to be remembered about the games that were visited.
    pub(super) fn games(
        self,
        head: Option<GlobalPosition>,
    ) -> impl Stream<Item = Result<Found, CopyError>> + Send {
        let messages = self.store.subscribe_to_beginnings(GAME_STREAM_PREFIX, None);
        self.until(head, messages.ready_chunks(MESSAGES))
            .map_ok(|taken| stream::iter(taken.into_iter().filter_map(found).map(Ok)))
            .try_flatten()
            .boxed()
    }

    /// What is left of the game.
    pub(super) async fn read(&self, stream: &StreamName) -> Result<Game, CopyError> {
        let read = self
            .patience
            .call(Side::Source, &self.progress, || {
                self.store.read_stream(stream, StreamRevision::FIRST)
            })
            .await?;
        match read {
            Ok(slice) if slice.events.is_empty() || !slice.has_its_first_event() => {
                Ok(Game::Truncated)
            }
            Ok(slice) => Ok(Game::Whole(slice.events)),
            Err(EventStoreError::StreamDeleted { .. }) => Ok(Game::Deleted),
            Err(error) => Err(CopyError::Source(error)),
        }
    }
}

fn found(message: SubscriptionMessage) -> Option<Found> {
    match message {
        SubscriptionMessage::Recorded(first) => Some(Found::Begun(first.stream, first.position)),
        SubscriptionMessage::StreamTruncated(stream) => Some(Found::Deleted(stream)),
        SubscriptionMessage::CaughtUp | SubscriptionMessage::Disconnected => None,
    }
}
