//! `/events` as a stream that does not end: history in slices, then what comes, from the one
//! subscription that all watchers share.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio::time::{Instant, Interval, interval_at};

use super::history::{Place, Slice, read, unread};
use crate::event_store::{EventStore, EventStoreError, GlobalPosition};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::response::deadline::in_time;
use crate::http::response::event_stream::{Format, KEEP_ALIVE, opened, render_in_store_order};
use crate::live::{AllGamesWatcher, Interrupted, Live};

/// How many events of the history are read and sent at once.
const SLICE: usize = 500;

/// The events of all games after this position, or from the first one on; does not end.
pub(crate) async fn stream_all_events(
    app: &App,
    format: Format,
    after: Option<Place>,
) -> Result<Response, Problem> {
    let mut events = AllGamesStream {
        live: app.live.clone(),
        store: app.games.store().clone(),
        format,
        told: after.map(Place::position),
        source: Source::Nothing,
        keep_alive: interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE),
    };
    // Before the answer begins, so that a store that is away is a problem and not a silence.
    let first = in_time(events.read_on(true)).await?;
    let first = first.map_err(|error| unread(after, error))?;
    let mut opening = BytesMut::from(format.opening());
    opening.put(events.take_in(first));
    let opening = opening.freeze();
    let opening = stream::iter((!opening.is_empty()).then_some(Ok(opening)));
    let body = Body::from_stream(opening.chain(events.chunks()));
    Ok(opened(format, body))
}

/// A slice, and who was made to watch before it was read.
type Read = (Slice, Option<AllGamesWatcher>);

/// An open stream.
struct AllGamesStream {
    live: Arc<Live>,
    store: Arc<dyn EventStore>,
    format: Format,
    /// The last event that the client has.
    told: Option<GlobalPosition>,
    source: Source,
    keep_alive: Interval,
}

/// Where the next events come from.
enum Source {
    Nothing,
    /// The history.
    Reading(BoxFuture<'static, Result<Read, EventStoreError>>),
    /// The hub, which was listening before the history was read to its end.
    Hearing(AllGamesWatcher),
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
                    // Watchers hear of a stop by themselves.
                    () = self.live.stopped() => return Err(Interrupted::Stopped),
                    read = reading => {
                        let read = read.map_err(|_| Interrupted::Behind)?;
                        self.take_in(read)
                    }
                    _ = self.keep_alive.tick() => self.format.keep_alive(),
                },
                Source::Hearing(watcher) => tokio::select! {
                    event = watcher.after(self.told) => {
                        let event = event?;
                        self.told = Some(event.position);
                        self.format.bytes(&event.rendered).clone()
                    }
                    _ = self.keep_alive.tick() => self.format.keep_alive(),
                },
            };
            if !chunk.is_empty() {
                return Ok(chunk);
            }
        }
    }

    /// The bytes of what was read, and from there on.
    ///
    /// At the end of the history the watcher takes over that was there before it was read. In
    /// its midst a watcher would fall behind while the rest is read, so the next one is made
    /// when the end has been seen once.
    fn take_in(&mut self, (slice, watcher): Read) -> Bytes {
        let mut chunk = BytesMut::new();
        for event in &slice.events {
            chunk.put(self.format.bytes(&render_in_store_order(event)).as_ref());
            self.told = Some(event.position);
        }
        self.source = match watcher {
            Some(watcher) if slice.is_end => Source::Hearing(watcher),
            Some(_) | None => Source::Reading(self.read_on(slice.is_end).boxed()),
        };
        chunk.freeze()
    }

    /// Reads on, after beginning to watch if told so.
    fn read_on(
        &self,
        watches: bool,
    ) -> impl Future<Output = Result<Read, EventStoreError>> + use<> {
        let (live, store, told) = (self.live.clone(), self.store.clone(), self.told);
        async move {
            let watcher = if watches {
                Some(live.watch_all().await)
            } else {
                None
            };
            Ok((read(store, told, SLICE).await?, watcher))
        }
    }
}
