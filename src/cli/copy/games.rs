//! Finds the streams of the games in the source.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::error::CopyError;
use super::patience::{Patience, Side};
use super::progress::Progress;
use crate::application::GAME_STREAM_PREFIX;
use crate::event_store::{
    EventStore, EventStoreError, GlobalPosition, RecordedEvent, StreamName, StreamRevision,
};

/// How many events one read returns at most.
const PAGE: usize = 4096;

/// The source, and how patiently it is read.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) patience: Arc<Patience>,
    pub(super) progress: Arc<Progress>,
}

impl Source {
    pub(super) async fn head(&self) -> Result<Option<GlobalPosition>, CopyError> {
        self.patience
            .call(Side::Source, &self.progress, || self.store.head())
            .await?
            .map_err(CopyError::Source)
    }

    /// The events of games after one position and up to another, in pages.
    pub(super) fn pages(
        self,
        after: Option<GlobalPosition>,
        head: Option<GlobalPosition>,
    ) -> impl Stream<Item = Result<Vec<RecordedEvent>, CopyError>> + Send {
        let begin = (self, after, after < head);
        stream::try_unfold(begin, move |(source, after, goes_on)| async move {
            if !goes_on {
                return Ok(None);
            }
            let read = source
                .patience
                .call(Side::Source, &source.progress, || {
                    source.store.read_all(GAME_STREAM_PREFIX, after, PAGE)
                })
                .await?;
            let mut page = read.map_err(CopyError::Source)?;
            let is_full = page.len() == PAGE;
            page.retain(|event| Some(event.position) <= head);
            let goes_on = is_full && page.len() == PAGE;
            let last = page.last().map(|event| event.position);
            Ok(Some((page, (source, last.or(after), goes_on))))
        })
    }

    /// Each game's stream once, in the order in which the games began, with the position of its
    /// first event. It is found by that event, so nothing has to be remembered about the streams
    /// that were visited.
    pub(super) fn games(
        self,
        head: Option<GlobalPosition>,
    ) -> impl Stream<Item = Result<(StreamName, GlobalPosition), CopyError>> + Send {
        self.pages(None, head)
            .map_ok(|page| {
                let beginnings = page
                    .into_iter()
                    .filter(|event| event.revision == StreamRevision::FIRST)
                    .map(|event| Ok((event.stream, event.position)));
                stream::iter(beginnings)
            })
            .try_flatten()
            .boxed()
    }

    /// All events of a stream; `None` if the stream or its first events were deleted.
    pub(super) async fn read(
        &self,
        stream: &StreamName,
    ) -> Result<Option<Vec<RecordedEvent>>, CopyError> {
        let read = self
            .patience
            .call(Side::Source, &self.progress, || {
                self.store.read_stream(stream, StreamRevision::FIRST)
            })
            .await?;
        match read {
            Ok(slice) if slice.events.is_empty() || !slice.has_its_first_event() => Ok(None),
            Ok(slice) => Ok(Some(slice.events)),
            Err(EventStoreError::StreamDeleted { .. }) => Ok(None),
            Err(error) => Err(CopyError::Source(error)),
        }
    }
}
