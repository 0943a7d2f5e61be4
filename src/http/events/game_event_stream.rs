//! `/games/{id}/events` as a stream that stays open: server-sent events (WHATWG HTML, 9.2) or NDJSON. A client
//! can resume it after any revision, at any replica.

use crate::http::response::event_stream::NO_STORE;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, Interval, interval_at};

use crate::application::GameId;
use crate::http::app::App;
use crate::http::games::history::stored_history;
use crate::http::problem::Problem;
use crate::http::response::event_stream::{Format, KEEP_ALIVE, StreamWriter, opened, render};
use crate::live::{Following, Interrupted, Then};

/// The events of the game after this revision, or from the first event on, until the game is finished. 204 if
/// no event can follow, because a browser does not reconnect after that status.
pub(crate) async fn stream_events(
    app: &App,
    id: GameId,
    format: Format,
    after: Option<u64>,
) -> Result<Response, Problem> {
    // Watch before reading the stream, so that an event recorded in between is not missed.
    let watcher = app.live.watch(id).await;
    let (history, revision) = stored_history(app, id).await?;
    let is_finished = history
        .explained
        .last()
        .is_some_and(|last| last.game.result().is_some());
    if is_finished && after.is_some_and(|after| after >= revision.number()) {
        let mut nothing = Response::new(Body::empty());
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        nothing.headers_mut().insert(CACHE_CONTROL, NO_STORE);
        return Ok(nothing);
    }

    let mut writer = StreamWriter::new(format);
    let mut opening = BytesMut::new();
    for recorded in history.recorded() {
        if after.is_none_or(|after| recorded.revision.number() > after) {
            opening.put(writer.event(&render(recorded)));
        }
    }
    let opening = opening.freeze();
    let body = if is_finished {
        Body::from(opening)
    } else {
        let watching = GameStream {
            following: watcher.after(revision),
            after,
            writer,
            keep_alive: interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE),
        };
        let opening = stream::iter((!opening.is_empty()).then_some(Ok(opening)));
        Body::from_stream(opening.chain(watching.chunks()))
    };
    Ok(opened(format, body))
}

/// An open stream. Keep it small: there may be thousands.
struct GameStream {
    following: Following,
    /// The revision that the client asked to continue after. The game may not have reached it yet.
    after: Option<u64>,
    writer: StreamWriter,
    keep_alive: Interval,
}

impl GameStream {
    fn chunks(self) -> impl Stream<Item = Result<Bytes, Interrupted>> {
        stream::unfold(Some(self), async |watching| {
            let mut watching = watching?;
            match watching.next_chunk().await {
                Ok((chunk, Then::More | Then::Unknown)) => Some((Ok(chunk), Some(watching))),
                Ok((chunk, Then::TheEnd)) => Some((Ok(chunk), None)),
                Err(Interrupted::Stopped) => None,
                // An error, because a normal end would look like the end of the game, and clients would not resume.
                Err(Interrupted::Behind) => Some((Err(Interrupted::Behind), None)),
            }
        })
    }

    async fn next_chunk(&mut self) -> Result<(Bytes, Then), Interrupted> {
        loop {
            let event = tokio::select! {
                event = self.following.next() => event?,
                _ = self.keep_alive.tick() => {
                    return Ok((self.writer.keep_alive(), Then::More));
                }
            };
            let is_new = self
                .after
                .is_none_or(|after| event.revision.number() > after);
            if is_new || event.then != Then::More {
                return Ok((self.writer.event(&event.rendered), event.then));
            }
        }
    }
}
