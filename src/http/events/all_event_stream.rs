//! `/events` as a stream without an end: first the history, read in slices, then new events from the one
//! subscription that all watchers share.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio::time::{Instant, Interval, interval_at};

use super::history::{Place, Slice, read, read_problem};
use crate::event_store::{EventStore, EventStoreError, GlobalPosition};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::response::deadline::in_time;
use crate::http::response::event_stream::{
    Format, KEEP_ALIVE, StreamWriter, opened, render_in_store_order,
};
use crate::live::{AllGamesWatcher, Interrupted, Live};

/// How many events of the history are read and sent at once.
const SLICE: usize = 500;

/// The events of all games after this position, or from the first event on. The stream does not end.
pub(crate) async fn stream_all_events(
    app: &App,
    format: Format,
    after: Option<Place>,
) -> Result<Response, Problem> {
    let mut events = AllGamesStream {
        live: app.live.clone(),
        store: app.games.store().clone(),
        writer: StreamWriter::new(format),
        sent: after.map(Place::position),
        source: Source::Nothing,
        keep_alive: interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE),
    };
    // Read before the response begins, so that the client gets a problem if the store is unavailable.
    let first = in_time(events.read_next(true)).await?;
    let first = first.map_err(|error| read_problem(after, error))?;
    let opening = events.take_slice(first);
    let opening = stream::iter((!opening.is_empty()).then_some(Ok(opening)));
    let body = Body::from_stream(opening.chain(events.chunks()));
    Ok(opened(format, body))
}

/// A slice, and the watcher that was registered before the slice was read, if any.
type Read = (Slice, Option<AllGamesWatcher>);

/// An open stream.
struct AllGamesStream {
    live: Arc<Live>,
    store: Arc<dyn EventStore>,
    writer: StreamWriter,
    /// The position of the last event that was sent.
    sent: Option<GlobalPosition>,
    source: Source,
    keep_alive: Interval,
}

/// Where the next events come from.
enum Source {
    Nothing,
    /// From the history.
    Reading(BoxFuture<'static, Result<Read, EventStoreError>>),
    /// From the live hub, by a watcher that was registered before the end of the history was read.
    Watching(AllGamesWatcher),
}

impl AllGamesStream {
    fn chunks(self) -> impl Stream<Item = Result<Bytes, Interrupted>> {
        stream::unfold(Some(self), async |events| {
            let mut events = events?;
            match events.next_chunk().await {
                Ok(chunk) => Some((Ok(chunk), Some(events))),
                Err(Interrupted::Stopped) => None,
                Err(Interrupted::Behind) => Some((Err(Interrupted::Behind), None)),
            }
        })
    }

    async fn next_chunk(&mut self) -> Result<Bytes, Interrupted> {
        loop {
            let chunk = match &mut self.source {
                Source::Nothing => return Err(Interrupted::Behind),
                Source::Reading(reading) => tokio::select! {
                    // Only needed here: a watcher reports a stop itself.
                    () = self.live.stopped() => return Err(Interrupted::Stopped),
                    read = reading => {
                        let read = read.map_err(|_| Interrupted::Behind)?;
                        self.take_slice(read)
                    }
                    _ = self.keep_alive.tick() => self.writer.keep_alive(),
                },
                Source::Watching(watcher) => tokio::select! {
                    event = watcher.after(self.sent) => {
                        let event = event?;
                        self.sent = Some(event.position);
                        self.writer.event(&event.rendered)
                    }
                    _ = self.keep_alive.tick() => self.writer.keep_alive(),
                },
            };
            if !chunk.is_empty() {
                return Ok(chunk);
            }
        }
    }

    /// The bytes of this slice. Also chooses the source of the next events.
    ///
    /// If the slice is the end of the history and a watcher was registered before it was read, the watcher takes
    /// over. A watcher that is registered earlier would fall behind while the rest of the history is read. So one
    /// is registered only after a read has reached the end, and then the history is read once more.
    fn take_slice(&mut self, (slice, watcher): Read) -> Bytes {
        let mut chunk = BytesMut::new();
        for event in &slice.events {
            chunk.put(self.writer.event(&render_in_store_order(event)));
            self.sent = Some(event.position);
        }
        self.source = match watcher {
            Some(watcher) if slice.is_end => Source::Watching(watcher),
            Some(_) | None => Source::Reading(self.read_next(slice.is_end).boxed()),
        };
        chunk.freeze()
    }

    /// Reads the next slice. If `watches`, registers a watcher first.
    fn read_next(
        &self,
        watches: bool,
    ) -> impl Future<Output = Result<Read, EventStoreError>> + use<> {
        let (live, store, sent) = (self.live.clone(), self.store.clone(), self.sent);
        async move {
            let watcher = if watches {
                Some(live.watch_all().await)
            } else {
                None
            };
            Ok((read(store, sent, SLICE).await?, watcher))
        }
    }
}
