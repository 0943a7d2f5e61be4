//! Follows the store's events and applies them, batch by batch, for ever.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::task::spawn_blocking;
use tokio::time::{self, sleep};

use super::batch::{Batch, NeedsHistory, Unreadable};
use super::commit::commit;
use super::database::{Database, ReadModelError};
use super::identity::{FollowError, ensure_same_events};
use super::memory::Memory;
use super::progress::Progress;
use crate::application::{GAME_STREAM_PREFIX, GameFold, GameId, LoadError};
use crate::event_store::{EventStore, RecordedEvent, StreamRevision, SubscriptionMessage};

/// How many events wait at the most while others are applied: about as many as a transaction
/// takes when it catches up. More would only take memory.
const WAITING: usize = 32_768;

/// How many events are taken from the subscription at once.
const CHUNK: usize = 4_096;

/// How long after a transaction the next one begins at the earliest, unless there is a whole
/// chunk for it. Under load each takes more events, which costs those who move less; an event
/// that comes after a silence is applied at once.
const PACE: Duration = Duration::from_millis(5);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often the log tells how far a rebuild has come.
const REPORTS: Duration = Duration::from_secs(5);

/// Applies every event of a game, and begins anew at the checkpoint whenever something fails:
/// nothing is ever skipped. Does not end.
pub(super) async fn follow(
    database: &Arc<Database>,
    progress: &Arc<Progress>,
    store: Arc<dyn EventStore>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let before = progress.position();
        let Err(error) = follow_once(database, progress, &store).await;
        if progress.position() != before {
            pause = FIRST_PAUSE;
        }
        tracing::error!(%error, ?pause, "the read model goes on after a pause: {error}");
        sleep(pause.mul_f64(0.75 + fastrand::f64() / 4.0)).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

enum Never {}

async fn follow_once(
    database: &Arc<Database>,
    progress: &Arc<Progress>,
    store: &Arc<dyn EventStore>,
) -> Result<Never, FollowError> {
    ensure_same_events(database, progress, &**store).await?;
    let memory = database.read(Memory::load).await?;
    progress.show(memory.checkpoint, memory.unreadable.cast_unsigned());
    let subscription = store.subscribe_all(GAME_STREAM_PREFIX, memory.checkpoint);
    let mut chunks = subscription.ready_chunks(CHUNK);
    let mut waiting = Waiting::default();
    let mut report = Report::new();
    let mut will_have_caught_up = false;
    let mut idle = Some(Box::new(memory));
    let mut applying: Option<Applying> = None;
    let mut not_before = time::Instant::now();
    loop {
        let is_early = waiting.events.len() < CHUNK && time::Instant::now() < not_before;
        let may_wait = is_early && !waiting.events.is_empty();
        if !may_wait && let Some(memory) = idle.take() {
            if waiting.events.is_empty() {
                if std::mem::take(&mut waiting.caught_up) {
                    report.caught_up(progress);
                }
                idle = Some(memory);
            } else {
                let Waiting { events, caught_up } = std::mem::take(&mut waiting);
                will_have_caught_up = caught_up;
                let work = apply(database.clone(), store.clone(), memory, events);
                not_before = time::Instant::now() + PACE;
                applying = Some(Box::pin(work));
            }
        }
        tokio::select! {
            biased;
            applied = finished(&mut applying) => {
                applying = None;
                let Applied { memory, events, latest } = applied?;
                progress.applied(events);
                progress.show(memory.checkpoint, memory.unreadable.cast_unsigned());
                report.applied(events, &memory);
                if will_have_caught_up {
                    report.caught_up(progress);
                }
                progress.behind_since(waiting.oldest().or(latest.filter(|_| report.is_behind)));
                idle = Some(memory);
            }
            () = time::sleep_until(not_before), if may_wait && applying.is_none() => {}
            chunk = chunks.next(), if waiting.events.len() < WAITING => {
                waiting.add(chunk.ok_or(FollowError::Ended)?);
                if applying.is_none() {
                    progress.behind_since(waiting.oldest());
                }
            }
        }
    }
}

type Applying = Pin<Box<dyn Future<Output = Result<Applied, FollowError>> + Send>>;

/// Pending while nothing is applied.
async fn finished(applying: &mut Option<Applying>) -> Result<Applied, FollowError> {
    match applying {
        Some(applying) => applying.await,
        None => std::future::pending().await,
    }
}

/// What was delivered and is not applied yet.
#[derive(Default)]
struct Waiting {
    events: Vec<RecordedEvent>,
    /// Whether these are all that the store has.
    caught_up: bool,
}

impl Waiting {
    fn add(&mut self, messages: Vec<SubscriptionMessage>) {
        for message in messages {
            match message {
                SubscriptionMessage::Recorded(event) => self.events.push(event),
                SubscriptionMessage::CaughtUp => self.caught_up = true,
                SubscriptionMessage::StreamTruncated(_) | SubscriptionMessage::Disconnected => {}
            }
        }
    }

    fn oldest(&self) -> Option<DateTime<Utc>> {
        self.events.first().map(|event| event.recorded_at)
    }
}

struct Applied {
    memory: Box<Memory>,
    events: u64,
    /// When the last of them was recorded.
    latest: Option<DateTime<Utc>>,
}

/// Applies the events in one transaction.
async fn apply(
    database: Arc<Database>,
    store: Arc<dyn EventStore>,
    mut memory: Box<Memory>,
    events: Vec<RecordedEvent>,
) -> Result<Applied, FollowError> {
    let mut work = Work {
        batch: Batch::default(),
        events,
        taken: 0,
    };
    loop {
        let database = database.clone();
        let step = spawn_blocking(move || {
            let mut connection = database.writer();
            work.run(&mut connection, memory)
        });
        let step = step.await.map_err(ReadModelError::from)?;
        match step.map_err(ReadModelError::from)? {
            Step::Committed(applied) => return Ok(applied),
            Step::Needs(id, stopped, remembered) => {
                work = *stopped;
                memory = remembered;
                let history = history(&*store, id, work.next_revision()).await?;
                work.batch.tell(id, history);
            }
        }
    }
}

/// A game that is not kept in mind, read from its stream.
async fn history(
    store: &dyn EventStore,
    id: GameId,
    before: StreamRevision,
) -> Result<Result<GameFold, Unreadable>, FollowError> {
    match GameFold::before(store, id, before).await {
        Ok(fold) => Ok(Ok(fold)),
        Err(LoadError::Store(error)) => Err(error.into()),
        Err(LoadError::Unreadable {
            revision, reason, ..
        }) => Ok(Err(Unreadable {
            stream: id.stream().as_str().to_owned(),
            revision: super::lists::to_sql(revision.number()),
            reason: reason.to_string(),
        })),
    }
}

/// A transaction in the making.
struct Work {
    batch: Batch,
    events: Vec<RecordedEvent>,
    /// How many of them the batch has taken.
    taken: usize,
}

enum Step {
    Committed(Applied),
    Needs(GameId, Box<Work>, Box<Memory>),
}

impl Work {
    /// Up to the commit, or to an event that is about a game that has to be read first.
    fn run(
        mut self,
        connection: &mut rusqlite::Connection,
        mut memory: Box<Memory>,
    ) -> rusqlite::Result<Step> {
        // For the reads below, which would begin one each.
        let reading = connection.transaction()?;
        while let Some(event) = self.events.get(self.taken) {
            match self.batch.take(&mut memory, &reading, event)? {
                Ok(()) => self.taken += 1,
                Err(NeedsHistory(id)) => return Ok(Step::Needs(id, Box::new(self), memory)),
            }
        }
        drop(reading);
        let events = self.batch.events;
        let latest = self.events.last().map(|event| event.recorded_at);
        commit(connection, &mut memory, self.batch)?;
        Ok(Step::Committed(Applied {
            memory,
            events,
            latest,
        }))
    }

    fn next_revision(&self) -> StreamRevision {
        let event = self.events.get(self.taken);
        event.map_or(StreamRevision::FIRST, |event| event.revision)
    }
}

/// What the log says about a rebuild.
struct Report {
    began: Instant,
    last: Instant,
    events: u64,
    is_behind: bool,
}

impl Report {
    fn new() -> Report {
        Report {
            began: Instant::now(),
            last: Instant::now(),
            events: 0,
            is_behind: true,
        }
    }

    fn applied(&mut self, events: u64, memory: &Memory) {
        self.events += events;
        if self.is_behind && self.last.elapsed() >= REPORTS {
            self.last = Instant::now();
            let position = memory.checkpoint.map(|position| position.to_string());
            let per_second = self.per_second();
            tracing::info!(
                events = self.events,
                per_second,
                position,
                "the read model catches up: {} events so far, {per_second} a second",
                self.events,
            );
        }
    }

    fn caught_up(&mut self, progress: &Progress) {
        progress.behind_since(None);
        progress.caught_up();
        if std::mem::take(&mut self.is_behind) {
            let per_second = self.per_second();
            tracing::info!(
                events = self.events,
                per_second,
                "the read model has caught up, with {} events",
                self.events,
            );
        }
    }

    fn per_second(&self) -> u64 {
        (self.events as f64 / self.began.elapsed().as_secs_f64().max(1e-3)) as u64
    }
}
