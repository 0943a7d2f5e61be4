//! The thread that writes. It commits all waiting appends as one transaction.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot, watch};

use super::append::{Answer, Append};
use super::batch::{Batch, BatchResult};
use super::error::{file_is_gone, not_committed, not_done, writer_is_gone};
use super::heads::Heads;
use super::reader::last_position;
use super::tail::{Stored, Tail};
use super::tombstone;
use crate::event_store::{EventStoreError, ExpectedRevision, GlobalPosition, NewEvent, StreamName};
use crate::panics::{Panicked, caught_blocking};
use crate::sqlite_file::{FileLock, Transaction};

/// How many appends may wait in the queue. When it is full, callers wait for room.
const QUEUE: usize = 1024;

/// How many appends one transaction takes at most: enough to share the cost of a sync, and few
/// enough that the first one does not wait long for the last.
const BATCH: usize = 512;

/// How often, under load, the writer checks that the file is still at its path.
const FILE_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// A request to the writer thread.
#[derive(Debug)]
enum Request {
    Append(Append),
    Delete(Deletion),
    /// Try a commit, to find out whether commits work again.
    Probe(oneshot::Sender<Result<(), EventStoreError>>),
}

/// A stream to delete, and its answer.
#[derive(Debug)]
struct Deletion {
    stream: StreamName,
    answer: oneshot::Sender<Result<(), EventStoreError>>,
}

/// A handle to the writer thread. Dropping it waits for the thread, which commits the appends in
/// the queue and copies the write-ahead log into the database file.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    last_commit_failed: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the thread. After each commit, the position of the last event is sent to `head`,
    /// and the events are sent to `tail`.
    pub(super) fn start(
        connection: Connection,
        lock: Arc<FileLock>,
        heads: Arc<Heads>,
        head: watch::Sender<Option<GlobalPosition>>,
        tail: Tail,
    ) -> io::Result<Writer> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let last_commit_failed = Arc::new(AtomicBool::new(false));
        let work = WriterThread {
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

    /// Returns when the append is durable or has failed. Dropping the future after the append was
    /// queued does not cancel the append.
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
                reason: "the writer thread failed before it answered".to_owned(),
            })
        })
    }

    /// Deletes the stream. Like an append, a deletion that was queued is carried out even if the
    /// future is dropped.
    pub(super) async fn delete(&self, stream: StreamName) -> Result<(), EventStoreError> {
        let (answer, outcome) = oneshot::channel();
        let deletion = Deletion { stream, answer };
        self.send(Request::Delete(deletion)).await?;
        outcome.await.unwrap_or_else(|_| {
            Err(EventStoreError::OutcomeUnknown {
                reason: "the writer thread failed before it answered".to_owned(),
            })
        })
    }

    /// Whether commits work. If the last one failed, tries another one.
    pub(super) async fn check(&self) -> Result<(), EventStoreError> {
        if !self.last_commit_failed.load(Ordering::Relaxed) {
            return match &self.queue {
                Some(queue) if !queue.is_closed() => Ok(()),
                Some(_) | None => Err(writer_is_gone()),
            };
        }
        let (answer, outcome) = oneshot::channel();
        self.send(Request::Probe(answer)).await?;
        let outcome = outcome.await.unwrap_or_else(|_| Err(writer_is_gone()));
        match outcome {
            // Nobody needs to know whether this commit is stored.
            Err(EventStoreError::OutcomeUnknown { reason }) => {
                Err(EventStoreError::Unavailable { reason })
            }
            outcome => outcome,
        }
    }

    async fn send(&self, request: Request) -> Result<(), EventStoreError> {
        let queue = self.queue.as_ref().ok_or_else(writer_is_gone)?;
        queue.send(request).await.map_err(|_| writer_is_gone())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when the queue is empty and has no sender.
        self.queue = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the writer thread of the SQLite event store panicked");
        }
    }
}

/// The state of the thread.
struct WriterThread {
    connection: Connection,
    heads: Arc<Heads>,
    head: watch::Sender<Option<GlobalPosition>>,
    tail: Tail,
    lock: Arc<FileLock>,
    /// When the file was last found at its path.
    file_checked: Instant,
    last_commit_failed: Arc<AtomicBool>,
}

/// The outcome of a batch that was committed.
struct Committed {
    answers: Vec<Answer>,
    stored: Vec<Stored>,
    recorded_at: DateTime<Utc>,
}

impl WriterThread {
    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut requests = Vec::with_capacity(BATCH);
        let mut batch = Vec::with_capacity(BATCH);
        let mut probes = Vec::new();
        let mut deletions = Vec::new();
        while queue.blocking_recv_many(&mut requests, BATCH) > 0 {
            for request in requests.drain(..) {
                match request {
                    Request::Append(append) => batch.push(append),
                    Request::Probe(answer) => probes.push(answer),
                    Request::Delete(deletion) => deletions.push(deletion),
                }
            }
            let work = caught_blocking(|| {
                if !batch.is_empty() || !probes.is_empty() {
                    self.process(&mut batch, &mut probes);
                }
                for Deletion { stream, answer } in deletions.drain(..) {
                    // Fails when the caller no longer waits, which does not matter.
                    drop(answer.send(self.delete(&stream)));
                }
            });
            if let Err(panicked) = work {
                self.recover(&panicked);
            }
            // After a panic, these callers learn that the outcome is unknown.
            batch.clear();
            probes.clear();
            deletions.clear();
        }
        self.close();
    }

    /// Stores the batch and answers all callers.
    fn process(
        &mut self,
        batch: &mut Vec<Append>,
        probes: &mut Vec<oneshot::Sender<Result<(), EventStoreError>>>,
    ) {
        let outcome = self.commit(batch, !probes.is_empty());
        self.last_commit_failed
            .store(outcome.is_err(), Ordering::Relaxed);
        for probe in probes.drain(..) {
            let outcome = outcome.as_ref().map(drop).map_err(Clone::clone);
            drop(probe.send(outcome));
        }
        match outcome {
            Ok(committed) => {
                // Callers are answered before subscriptions get the events, because they wait.
                let mut events = Vec::with_capacity(batch.len());
                for (append, answer) in batch.drain(..).zip(committed.answers) {
                    events.push((append.stream, append.events));
                    // Fails when the caller no longer waits, which does not matter.
                    drop(append.answer.send(answer));
                }
                self.tail
                    .publish(events, &committed.stored, committed.recorded_at);
            }
            Err(error) => {
                // Only at debug level: an outage would give one line per batch, and the
                // measured store already logs it once.
                tracing::debug!(
                    appends = batch.len(),
                    %error,
                    "could not store a batch of appends"
                );
                for append in batch.drain(..) {
                    drop(append.answer.send(Err(error.clone())));
                }
            }
        }
    }

    /// Goes on after a panic. A transaction that was open is rolled back; one that was committed has
    /// not been announced, or not to everybody.
    fn recover(&mut self, panicked: &Panicked) {
        tracing::error!(
            error = %panicked,
            "the writer thread of the SQLite event store failed: {panicked}; it goes on"
        );
        // The readiness check tries a commit now.
        self.last_commit_failed.store(true, Ordering::Relaxed);
        self.heads.forget_all();
        match last_position(&self.connection) {
            Ok(last) => drop(self.head.send_replace(last)),
            Err(error) => tracing::error!(%error, "the position of the last event is unknown"),
        }
        self.tail.publish_gap();
    }

    /// Fails when the file is no longer at its path. Such a file is lost when the process ends,
    /// and with it everything that would be written to it.
    fn check_file(&mut self) -> Result<(), EventStoreError> {
        let is_due = self.last_commit_failed.load(Ordering::Relaxed)
            || self.file_checked.elapsed() >= FILE_CHECK_INTERVAL;
        if is_due {
            if !self.lock.is_at_its_path() {
                return Err(file_is_gone());
            }
            self.file_checked = Instant::now();
        }
        Ok(())
    }

    /// Stores the whole batch; on an error, nothing of it. No caller is answered before the
    /// commit. That includes conflicts, because an append may conflict with one of the same batch.
    ///
    /// A probe rewrites a value that does not change, so that there is something to commit.
    fn commit(&mut self, appends: &[Append], is_probe: bool) -> Result<Committed, EventStoreError> {
        self.check_file()?;
        let transaction =
            Transaction::immediate(&mut self.connection).map_err(|error| not_done(&error))?;
        let mut batch = Batch::new(&transaction, &self.heads).map_err(|error| not_done(&error))?;
        let answers = appends
            .iter()
            .enumerate()
            .map(|(index, append)| batch.append(index, append))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
                    // Another program wrote to the file despite the lock, so the cached heads
                    // may be wrong.
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
        let BatchResult {
            new_heads,
            stored,
            recorded_at,
        } = batch.finish();
        for stream in new_heads.keys() {
            self.heads.forget(stream);
        }
        transaction
            .commit()
            .map_err(|error| not_committed(&error))?;
        for (stream, head) in new_heads {
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

    /// Deletes a stream in a transaction of its own. The bytes of its events are overwritten in the
    /// database file, and the write-ahead log, which still has them, is emptied.
    fn delete(&mut self, stream: &StreamName) -> Result<(), EventStoreError> {
        self.check_file()?;
        let transaction =
            Transaction::immediate(&mut self.connection).map_err(|error| not_done(&error))?;
        let tombstone = tombstone::delete(&transaction, stream, Utc::now());
        self.heads.forget(stream);
        let Some(tombstone) = tombstone.map_err(|error| not_done(&error))? else {
            return Ok(());
        };
        transaction
            .commit()
            .map_err(|error| not_committed(&error))?;
        self.head.send_replace(Some(tombstone.position));
        self.tail.publish_tombstone(tombstone);
        // A reader that is in the middle of a read prevents it. Then the log is overwritten later,
        // and emptied at the latest when the file is closed.
        if let Err(error) = self.empty_log() {
            tracing::debug!(%error, "the write-ahead log could not be emptied after a deletion");
        }
        Ok(())
    }

    fn empty_log(&self) -> rusqlite::Result<()> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(checkpoint, [], |_| Ok(()))
    }

    /// Copies the write-ahead log into the database file, so that one file has all events.
    fn close(self) {
        let checkpoint = self.empty_log();
        let closed = self.connection.close().map_err(|(_, error)| error);
        if let Err(error) = checkpoint.and(closed) {
            tracing::warn!(
                %error,
                "could not copy SQLite's write-ahead log into the database file; keep both files, \
                 the log is applied at the next start"
            );
        }
    }
}
