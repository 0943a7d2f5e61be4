//! Whether the streams of an HTTP/2 connection make progress. A client that allows no more data keeps its
//! responses in memory, and can answer PINGs for ever.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The streams of a connection.
#[derive(Debug, Default)]
pub(super) struct Streams {
    state: Mutex<State>,
    /// Notified when there is a first response to send.
    sending: Notify,
}

#[derive(Debug)]
struct State {
    /// Requests whose handlers have not responded. Handlers have a time limit of their own.
    waiting: usize,
    /// Responses whose bodies were not sent completely. Hyper polls a body again only when the client has allowed
    /// the data before. Streams of events send something at least every 15 s.
    sending: usize,
    last_progress: Instant,
}

/// Why a connection should be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// There are no streams.
    Idle,
    /// There are responses that the client does not take.
    Stalled,
}

impl Default for State {
    fn default() -> State {
        State {
            waiting: 0,
            sending: 0,
            last_progress: Instant::now(),
        }
    }
}

impl Streams {
    /// Registers a request.
    pub(super) fn open(self: &Arc<Streams>) -> OpenStream {
        self.progress(|state| state.waiting += 1);
        OpenStream {
            streams: self.clone(),
            is_sending: false,
        }
    }

    /// Resolves when no stream was open for `idle`, or responses are open and none made progress for `stalled`.
    pub(super) async fn quiet(&self, idle: Duration, stalled: Duration) -> Quiet {
        loop {
            let (limit, quiet) = {
                let state = self.state();
                match (state.waiting, state.sending) {
                    (0, 0) => (state.last_progress + idle, Some(Quiet::Idle)),
                    (_, 0) => (Instant::now() + stalled, None),
                    (_, _) => (state.last_progress + stalled, Some(Quiet::Stalled)),
                }
            };
            match quiet {
                Some(quiet) if limit <= Instant::now() => return quiet,
                Some(_) | None => tokio::select! {
                    () = sleep_until(limit) => {}
                    () = self.sending.notified() => {}
                },
            }
        }
    }

    /// No code panics while it holds this lock, so a poisoned lock can be used.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.last_progress = Instant::now();
    }
}

/// A request until its handler responds, then its response until its body is sent.
#[derive(Debug)]
pub(super) struct OpenStream {
    streams: Arc<Streams>,
    is_sending: bool,
}

impl OpenStream {
    /// The handler has responded.
    pub(super) fn respond(&mut self) {
        self.is_sending = true;
        self.streams.progress(|state| {
            state.waiting -= 1;
            state.sending += 1;
        });
        self.streams.sending.notify_one();
    }

    /// The client takes data.
    pub(super) fn send(&self) {
        self.streams.progress(|_| {});
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let is_sending = self.is_sending;
        self.streams.progress(|state| {
            if is_sending {
                state.sending -= 1;
            } else {
                state.waiting -= 1;
            }
        });
    }
}
