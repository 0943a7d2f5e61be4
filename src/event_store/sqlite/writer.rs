//! The one thread that writes: it commits whatever waits as one transaction.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::Batch;
use super::error::{not_committed, not_done, writer_is_gone};
use super::heads::Heads;
use crate::event_store::{
    Appended, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent, StreamName,
};

/// How many appends may wait; who comes then waits for room.
const QUEUE: usize = 1024;

/// How many appends one transaction takes: enough that its sync is paid by many, few enough
/// that the first of them does not wait long for the last.
const BATCH: usize = 512;

/// The longest that a batch waits for more, also after a commit that took very long.
const PATIENCE: Duration = Duration::from_millis(1);

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
    /// Starts the thread; `head` is told the position of the last event after each commit.
    pub(super) fn start(
        connection: Connection,
        heads: Arc<Heads>,
        head: watch::Sender<Option<GlobalPosition>>,
    ) -> io::Result<Writer> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let work = Work {
            connection,
            heads,
            head,
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

/// Those who have just been answered. Under load they come back at once with their next append,
/// and each half comes while the other half is being committed: batches would stay half full for
/// ever. To wait for them a little costs each less than the sync that it saves; one caller alone
/// is never made to wait.
#[derive(Debug, Default)]
struct Returning {
    callers: usize,
    patience: Duration,
}

impl Returning {
    fn wait(&self, queue: &mpsc::Receiver<Append>) {
        let began = Instant::now();
        while self.callers > 1
            && queue.len() < self.callers
            && !queue.is_closed()
            && began.elapsed() < self.patience
        {
            // Not a sleep: the callers come within microseconds, and need this core to do so.
            thread::yield_now();
        }
    }
}

/// What the thread works with.
struct Work {
    connection: Connection,
    heads: Arc<Heads>,
    head: watch::Sender<Option<GlobalPosition>>,
}

impl Work {
    fn run(mut self, mut queue: mpsc::Receiver<Append>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut returning = Returning::default();
        loop {
            returning.wait(&queue);
            if queue.blocking_recv_many(&mut batch, BATCH) == 0 {
                break;
            }
            let began = Instant::now();
            let answers = self.commit(&batch).unwrap_or_else(|error| {
                tracing::error!(appends = batch.len(), %error, "could not store a batch of appends");
                vec![Err(error); batch.len()]
            });
            returning = Returning {
                callers: batch.len(),
                patience: (began.elapsed() / 4).min(PATIENCE),
            };
            for (append, answer) in batch.drain(..).zip(answers) {
                // Nobody may be waiting any more, which changes nothing.
                drop(append.answer.send(answer));
            }
        }
        self.close();
    }

    /// Stores the batch, or nothing of it when this fails. No answer leaves before the commit,
    /// conflicts neither: what an append conflicts with may be in the same batch.
    fn commit(&mut self, appends: &[Append]) -> Result<Vec<Answer>, EventStoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| not_done(&error))?;
        let mut batch = Batch::new(&transaction, &self.heads);
        let answers = appends
            .iter()
            .map(|append| batch.append(append))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
                    // Somebody else wrote to the file, lock or no lock: believe nothing.
                    self.heads.forget_all();
                }
                not_done(&error)
            })?;
        let (moved, last_position) = batch.finish();
        for stream in moved.keys() {
            self.heads.forget(stream);
        }
        transaction
            .commit()
            .map_err(|error| not_committed(&error))?;
        for (stream, head) in moved {
            self.heads.put(stream.clone(), head);
        }
        if let Some(position) = last_position {
            self.head.send_replace(Some(position));
        }
        Ok(answers)
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
