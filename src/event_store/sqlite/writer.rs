//! The one thread that writes: it commits whatever waits as one transaction.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Batch, Filled};
use super::error::{not_committed, not_done, writer_is_gone};
use super::heads::Heads;
use super::tail::{Stored, Tail};
use crate::event_store::{
    Appended, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent, StreamName,
};

/// How many appends may wait; who comes then waits for room.
const QUEUE: usize = 1024;

/// How many appends one transaction takes: enough that its sync is paid by many, few enough
/// that the first of them does not wait long for the last.
const BATCH: usize = 512;

/// What became of an append.
pub(super) type Answer = Result<Appended, EventStoreError>;

/// An append on its way to the writer.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) stream: StreamName,
    pub(super) expected: ExpectedRevision,
    pub(super) events: Vec<NewEvent>,
    answer: oneshot::Sender<Answer>,
}

/// The writer thread. Dropping this waits for it: it commits what is in the queue, and what the
/// journal holds goes into the database file.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Append>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; after each commit `head` is told the position of the last event, and
    /// `tail` the events.
    pub(super) fn start(
        connection: Connection,
        heads: Arc<Heads>,
        head: watch::Sender<Option<GlobalPosition>>,
        tail: Tail,
    ) -> io::Result<Writer> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let work = Work {
            connection,
            heads,
            head,
            tail,
        };
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || work.run(receiver))?;
        Ok(Writer {
            queue: Some(sender),
            thread: Some(thread),
        })
    }

    /// Returns when the append is durable or has failed. Who stops waiting does not stop it.
    pub(super) async fn append(
        &self,
        stream: StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Answer {
        let (answer, outcome) = oneshot::channel();
        let append = Append {
            stream,
            expected,
            events,
            answer,
        };
        let queue = self.queue.as_ref().ok_or_else(writer_is_gone)?;
        queue.send(append).await.map_err(|_| writer_is_gone())?;
        outcome.await.unwrap_or_else(|_| {
            Err(EventStoreError::OutcomeUnknown {
                reason: "the writer thread ended in the middle of it".to_owned(),
            })
        })
    }

    pub(super) fn check(&self) -> Result<(), EventStoreError> {
        match &self.queue {
            Some(queue) if !queue.is_closed() => Ok(()),
            Some(_) | None => Err(writer_is_gone()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when the queue is empty and nobody can add to it.
        self.queue = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the writer thread of the SQLite event store had panicked");
        }
    }
}

/// What the thread works with.
struct Work {
    connection: Connection,
    heads: Arc<Heads>,
    head: watch::Sender<Option<GlobalPosition>>,
    tail: Tail,
}

/// What became of the appends of a batch.
struct Committed {
    answers: Vec<Answer>,
    stored: Vec<Stored>,
    recorded_at: DateTime<Utc>,
}

impl Work {
    fn run(mut self, mut queue: mpsc::Receiver<Append>) {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
            match self.commit(&batch) {
                Ok(committed) => {
                    // Answered first: subscriptions may hear a little later.
                    let mut events = Vec::with_capacity(batch.len());
                    for (append, answer) in batch.drain(..).zip(committed.answers) {
                        events.push((append.stream, append.events));
                        // Nobody may be waiting any more, which changes nothing.
                        drop(append.answer.send(answer));
                    }
                    self.tail
                        .publish(events, &committed.stored, committed.recorded_at);
                }
                Err(error) => {
                    tracing::error!(appends = batch.len(), %error, "could not store a batch of appends");
                    for append in batch.drain(..) {
                        drop(append.answer.send(Err(error.clone())));
                    }
                }
            }
        }
        self.close();
    }

    /// Stores the batch, or nothing of it when this fails. No answer leaves before the commit,
    /// conflicts neither: what an append conflicts with may be in the same batch.
    fn commit(&mut self, appends: &[Append]) -> Result<Committed, EventStoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| not_done(&error))?;
        let mut batch = Batch::new(&transaction, &self.heads);
        let answers = appends
            .iter()
            .enumerate()
            .map(|(place, append)| batch.append(place, append))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
                    // Somebody else wrote to the file, lock or no lock: believe nothing.
                    self.heads.forget_all();
                }
                not_done(&error)
            })?;
        let Filled {
            moved,
            stored,
            recorded_at,
        } = batch.finish();
        for stream in moved.keys() {
            self.heads.forget(stream);
        }
        transaction
            .commit()
            .map_err(|error| not_committed(&error))?;
        for (stream, head) in moved {
            self.heads.put(stream.clone(), head);
        }
        if let Some(last) = stored.last() {
            self.head.send_replace(Some(last.last_position));
        }
        Ok(Committed {
            answers,
            stored,
            recorded_at,
        })
    }

    /// Leaves one file behind that holds everything.
    fn close(self) {
        let checkpoint = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let closed = self.connection.close().map_err(|(_, error)| error);
        if let Err(error) = checkpoint.and(closed) {
            tracing::warn!(%error, "the journal stays beside the database and is read at the next start");
        }
    }
}
