//! Follows the store's events and applies them in batches, as long as the process runs.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::spawn_blocking;
use tokio::time::{self, Instant, MissedTickBehavior, sleep};
use tokio_util::sync::CancellationToken;

use super::apply::{Applied, apply};
use super::database::{Database, ReadModelError};
use super::follow_error::{FollowError, OtherStore};
use super::identity;
use super::observer::StoreObserver;
use super::progress::Progress;
use super::projector_state::ProjectorState;
use super::report::{Outage, Report};
use super::schema;
use super::waiting::{CHUNK, Waiting};
use crate::application::GAME_STREAM_PREFIX;
use crate::backoff::Backoff;
use crate::event_store::EventStore;
use crate::panics::caught;

/// The time from the start of a transaction to the start of the next one while nobody waits for the events,
/// unless a whole chunk of them is there. Each transaction then contains more events, which leaves more CPU
/// time for requests. An event after a quiet time is applied at once.
const QUIET_PACE: Duration = Duration::from_millis(50);

/// The shortest such time while somebody waits.
const SHORTEST_PACE: Duration = Duration::from_millis(5);

/// The longest such time while somebody waits.
const LONGEST_PACE: Duration = Duration::from_millis(25);

/// How many times as long as a transaction took it is until the next one begins, within these limits.
const REST: u32 = 8;

const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// After an outage, lists are behind the store by at most this much longer than necessary.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Keeps the tables up to date with the store's events.
#[derive(Clone)]
pub(super) struct Projector {
    pub(super) database: Arc<Database>,
    pub(super) progress: Arc<Progress>,
    pub(super) store: Arc<dyn EventStore>,
    pub(super) observer: Arc<dyn StoreObserver>,
    /// How often it checks that the store is still the same.
    pub(super) checked_every: Duration,
}

impl Projector {
    /// Applies every event of every game. Starts again at the checkpoint when something fails, so
    /// that no event is skipped. Returns only when it is asked to stop, and then uses the database no
    /// longer.
    pub(super) async fn run(&self, stop: &CancellationToken) {
        let mut outage = Outage::default();
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut discards = Discards::new();
        while !stop.is_cancelled() {
            let attempt = caught(self.attempt(&mut outage, &mut discards, stop)).await;
            let Err(error) = attempt.unwrap_or_else(|panicked| Err(panicked.into())) else {
                continue;
            };
            outage.failed(&error);
            self.progress.failed(outage.attempts(), error.to_string());
            self.progress.store_lost();
            if outage.attempts() <= 1 {
                pauses.reset();
            }
            tokio::select! {
                () = sleep(pauses.next_pause()) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Follows the store until something fails or it is asked to stop, and repairs the read model if it can.
    async fn attempt(
        &self,
        outage: &mut Outage,
        discards: &mut Discards,
        stop: &CancellationToken,
    ) -> Result<(), FollowError> {
        let Err(error) = self.follow(outage, stop).await else {
            return Ok(());
        };
        if error.is_damage() {
            tracing::warn!(%error, "{error}; it is discarded and rebuilt");
            self.progress.rebuild_begins();
            self.discard().await?;
            discards.pause().await;
            return Ok(());
        }
        match error {
            // The next `follow` checks this again, and rebuilds.
            FollowError::OtherStore(_) => Ok(()),
            FollowError::Undeleted(_) => self.rebuild(&error).await,
            FollowError::Store(_)
            | FollowError::ReadModel(_)
            | FollowError::Damaged(_)
            | FollowError::Reopen(_)
            | FollowError::Panicked(_)
            | FollowError::Disconnected
            | FollowError::Ended => Err(error),
        }
    }

    async fn follow(
        &self,
        outage: &mut Outage,
        stop: &CancellationToken,
    ) -> Result<(), FollowError> {
        let _hearing = Hearing(&*self.observer);
        self.ensure_same_store().await?;
        let memory = self.database.read(ProjectorState::load).await?;
        self.show(&memory);
        let subscription = self
            .store
            .subscribe_all(GAME_STREAM_PREFIX, memory.checkpoint);
        let mut chunks = subscription.ready_chunks(CHUNK);
        let mut damage = self.database.damage();
        let mut damage = pin!(damage.wait_for(Option::is_some));
        let mut waiting = Waiting::default();
        let mut report = Report::new();
        let mut will_have_caught_up = false;
        let mut idle = Some(Box::new(memory));
        let mut applying: Option<Work<Applied>> = None;
        let mut began = Instant::now();
        let mut soonest = began;
        let mut checking: Option<Work<Result<(), OtherStore>>> = None;
        let first_check = Instant::now() + self.checked_every;
        let mut checks = time::interval_at(first_check, self.checked_every);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if stop.is_cancelled() && applying.is_none() {
                return Ok(());
            }
            let not_before = match self.progress.is_awaited() {
                true => soonest,
                false => began + QUIET_PACE,
            };
            let is_early = waiting.delivered.len() < CHUNK && Instant::now() < not_before;
            let may_wait = is_early && !waiting.delivered.is_empty();
            if !may_wait && let Some(memory) = idle.take() {
                if waiting.delivered.is_empty() {
                    if std::mem::take(&mut waiting.caught_up) {
                        self.caught_up(&mut report, outage);
                    }
                    if waiting.is_disconnected {
                        return Err(FollowError::Disconnected);
                    }
                    idle = Some(memory);
                } else {
                    will_have_caught_up = std::mem::take(&mut waiting.caught_up);
                    let delivered = std::mem::take(&mut waiting.delivered);
                    let (database, store) = (self.database.clone(), self.store.clone());
                    applying = Some(Box::pin(apply(database, store, memory, delivered)));
                    began = Instant::now();
                    soonest = began + LONGEST_PACE;
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled(), if applying.is_none() => {}
                // Cannot fail: the database keeps the sender.
                Ok(found) = &mut damage => {
                    return Err(FollowError::Damaged(found.clone().unwrap_or_default()));
                }
                applied = finished(&mut applying) => {
                    applying = None;
                    let applied = applied?;
                    soonest = began + (REST * began.elapsed()).clamp(SHORTEST_PACE, LONGEST_PACE);
                    self.progress.applied(applied.events);
                    self.show(&applied.memory);
                    report.applied(&applied);
                    outage.ended();
                    if will_have_caught_up {
                        self.caught_up(&mut report, outage);
                    }
                    let latest = applied.latest.filter(|_| report.is_behind());
                    self.progress.behind_since(waiting.oldest().or(latest));
                    idle = Some(applied.memory);
                }
                compared = finished(&mut checking) => {
                    checking = None;
                    match compared {
                        Ok(same) => {
                            same?;
                            self.progress.store_answered();
                        }
                        Err(error) if error.is_damage() => return Err(error),
                        Err(error) => {
                            tracing::debug!(%error, "could not check whether the store is still the same");
                            self.progress.store_lost();
                        }
                    }
                }
                _ = checks.tick(), if checking.is_none() => {
                    let (database, store) = (self.database.clone(), self.store.clone());
                    checking = Some(Box::pin(identity::compare(database, store)));
                }
                () = time::sleep_until(not_before), if may_wait && applying.is_none() => {}
                () = self.progress.awaited(), if may_wait => {}
                chunk = chunks.next(), if waiting.takes_more() => {
                    let chunk = chunk.ok_or(FollowError::Ended)?;
                    self.progress.store_answered();
                    waiting.add(chunk, &*self.observer);
                    if waiting.is_disconnected {
                        self.progress.store_lost();
                    }
                    if applying.is_none() {
                        self.progress.behind_since(waiting.oldest());
                    }
                }
            }
        }
    }

    /// Empties the tables if this is another store, or the store was restored from a backup. Fails
    /// if the store does not answer.
    async fn ensure_same_store(&self) -> Result<(), FollowError> {
        let compared = identity::compare(self.database.clone(), self.store.clone());
        if let Err(other) = compared.await? {
            self.rebuild(&other.into()).await?;
        }
        Ok(())
    }

    /// Empties the tables and tells the observer, so that caches are dropped and watchers
    /// disconnected.
    async fn rebuild(&self, reason: &FollowError) -> Result<(), FollowError> {
        tracing::warn!(
            store = self.store.location(),
            %reason,
            "the event store contains other events than before: {reason}; the read model is \
             rebuilt, and clients that watch games are disconnected"
        );
        self.progress.rebuild_begins();
        let database = self.database.clone();
        let clear = move || {
            database.write(|tables| {
                let cleared = schema::clear(tables).map_err(ReadModelError::from);
                Ok::<_, FollowError>(cleared?)
            })
        };
        let cleared = spawn_blocking(clear).await.map_err(ReadModelError::from)?;
        match cleared {
            Err(error) if error.is_damage() => self.discard().await?,
            cleared => cleared?,
        }
        self.progress.show(None, 0);
        self.observer.store_restored();
        Ok(())
    }

    async fn discard(&self) -> Result<(), FollowError> {
        self.database.discard().await?;
        self.progress.show(None, 0);
        Ok(())
    }

    fn show(&self, memory: &ProjectorState) {
        let unreadable = memory.unreadable.cast_unsigned();
        self.progress.show(memory.checkpoint, unreadable);
    }

    fn caught_up(&self, report: &mut Report, outage: &mut Outage) {
        self.progress.behind_since(None);
        self.progress.caught_up();
        report.caught_up();
        outage.ended();
    }
}

/// Tells the observer, when it is dropped, that nothing more is heard: after every failure, after a
/// panic, and when the projector is stopped.
struct Hearing<'a>(&'a dyn StoreObserver);

impl Drop for Hearing<'_> {
    fn drop(&mut self) {
        self.0.is_following(false);
    }
}

/// Limits how often a damaged read model is discarded. A disk that damages every file, or a defect
/// of this program, would otherwise keep the machine busy.
struct Discards {
    pauses: Backoff,
    last: Option<Instant>,
}

/// The longest pause after a discarded read model.
const LONGEST_DISCARD_PAUSE: Duration = Duration::from_secs(60);

impl Discards {
    fn new() -> Discards {
        Discards {
            pauses: Backoff::new(FIRST_PAUSE, LONGEST_DISCARD_PAUSE),
            last: None,
        }
    }

    async fn pause(&mut self) {
        let is_recent = |last: Instant| last.elapsed() < 2 * LONGEST_DISCARD_PAUSE;
        if !self.last.is_some_and(is_recent) {
            self.pauses.reset();
        }
        self.last = Some(Instant::now());
        sleep(self.pauses.next_pause()).await;
    }
}

type Work<T> = Pin<Box<dyn Future<Output = Result<T, FollowError>> + Send>>;

/// Never resolves while there is no work.
async fn finished<T>(work: &mut Option<Work<T>>) -> Result<T, FollowError> {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}
