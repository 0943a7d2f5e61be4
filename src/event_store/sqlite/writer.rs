//! The one thread that writes: it commits whatever waits as one transaction.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::append::{Answer, Append};
use super::batch::{Batch, Filled};
use super::error::{file_is_gone, not_committed, not_done, writer_is_gone};
use super::heads::Heads;
use super::tail::{Stored, Tail};
use crate::event_store::{EventStoreError, ExpectedRevision, GlobalPosition, NewEvent, StreamName};
use crate::sqlite_file::FileLock;

/// How many appends may wait; who comes then waits for room.
const QUEUE: usize = 1024;

/// How many appends one transaction takes: enough that its sync is paid by many, few enough
/// that the first of them does not wait long for the last.
const BATCH: usize = 512;

/// How often, under load, the writer looks whether the file is still where it was opened.
const FILE_CHECKS: Duration = Duration::from_millis(500);

/// What the writer is asked to do.
#[derive(Debug)]
enum Request {
    Append(Append),
    /// Commit something, to find out whether commits work again.
    Probe(oneshot::Sender<Result<(), EventStoreError>>),
}

/// The writer thread. Dropping this waits for it: it commits what is in the queue, and what the
/// journal holds goes into the database file.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    last_commit_failed: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the thread; after each commit `head` is told the position of the last event, and
    /// `tail` the events.
    pub(super) fn start(
        connection: Connection,
        lock: Arc<FileLock>,
        heads: Arc<Heads>,
        head: watch::Sender<Option<GlobalPosition>>,
        tail: Tail,
    ) -> io::Result<Writer> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let last_commit_failed = Arc::new(AtomicBool::new(false));
        let work = Work {
            connection,
            heads,
            head,
            tail,
            lock,
            file_checked: Instant::now(),
            last_commit_failed: last_commit_failed.clone(),
        };
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || work.run(receiver))?;
        Ok(Writer {
            queue: Some(sender),
            thread: Some(thread),
            last_commit_failed,
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
        self.send(Request::Append(append)).await?;
        outcome.await.unwrap_or_else(|_| {
            Err(EventStoreError::OutcomeUnknown {
                reason: "the writer thread ended in the middle of it".to_owned(),
            })
        })
    }

    /// Whether commits work. When the last one failed, another one is tried.
    pub(super) async fn check(&self) -> Result<(), EventStoreError> {
        if !self.last_commit_failed.load(Ordering::Relaxed) {
            return match &self.queue {
                Some(queue) if !queue.is_closed() => Ok(()),
                Some(_) | None => Err(writer_is_gone()),
            };
        }
        let (answer, outcome) = oneshot::channel();
        self.send(Request::Probe(answer)).await?;
        outcome.await.unwrap_or_else(|_| Err(writer_is_gone()))
    }

    async fn send(&self, request: Request) -> Result<(), EventStoreError> {
        let queue = self.queue.as_ref().ok_or_else(writer_is_gone)?;
        queue.send(request).await.map_err(|_| writer_is_gone())
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
    lock: Arc<FileLock>,
    /// When the file was last seen at its path.
    file_checked: Instant,
    last_commit_failed: Arc<AtomicBool>,
}

/// What became of the appends of a batch.
struct Committed {
    answers: Vec<Answer>,
    stored: Vec<Stored>,
    recorded_at: DateTime<Utc>,
}

impl Work {
    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut requests = Vec::with_capacity(BATCH);
        let mut batch = Vec::with_capacity(BATCH);
        let mut probes = Vec::new();
        while queue.blocking_recv_many(&mut requests, BATCH) > 0 {
            for request in requests.drain(..) {
                match request {
                    Request::Append(append) => batch.push(append),
                    Request::Probe(answer) => probes.push(answer),
                }
            }
            let outcome = self.commit(&batch, !probes.is_empty());
            self.last_commit_failed
                .store(outcome.is_err(), Ordering::Relaxed);
            for probe in probes.drain(..) {
                let outcome = outcome.as_ref().map(drop).map_err(Clone::clone);
                drop(probe.send(outcome));
            }
            match outcome {
                Ok(committed) => {
                    // Answered first: subscriptions may hear a little later.
                    let mut events = Vec::with_capacity(batch.len());
                    for (append, answer) in batch.drain(..).zip(committed.answers) {
                        events.push((append.stream, append.events));
                        // Its caller may have gone, which changes nothing.
                        drop(append.answer.send(answer));
                    }
                    self.tail
                        .publish(events, &committed.stored, committed.recorded_at);
                }
                Err(error) => {
                    // The measured store logs an outage once; here it would be a line per batch.
                    tracing::debug!(appends = batch.len(), %error, "could not store a batch of appends");
                    for append in batch.drain(..) {
                        drop(append.answer.send(Err(error.clone())));
                    }
                }
            }
        }
        self.close();
    }

    /// A file that no path leads to is lost when the process ends, and so is what it is given.
    fn check_file(&mut self) -> Result<(), EventStoreError> {
        let is_due = self.last_commit_failed.load(Ordering::Relaxed)
            || self.file_checked.elapsed() >= FILE_CHECKS;
        if is_due {
            if !self.lock.is_at_its_path() {
                return Err(file_is_gone());
            }
            self.file_checked = Instant::now();
        }
        Ok(())
    }

    /// Stores the batch, or nothing of it when this fails. No answer leaves before the commit,
    /// conflicts neither: what an append conflicts with may be in the same batch.
    ///
    /// A probe writes what is there already.
    fn commit(&mut self, appends: &[Append], is_probe: bool) -> Result<Committed, EventStoreError> {
        self.check_file()?;
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
        if is_probe {
            let version: u32 = transaction
                .pragma_query_value(None, "user_version", |row| row.get(0))
                .map_err(|error| not_done(&error))?;
            transaction
                .pragma_update(None, "user_version", version)
                .map_err(|error| not_done(&error))?;
        }
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
