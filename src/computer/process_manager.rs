//! The process manager: makes the computer's move in every game in which it is the computer's turn.
//!
//! It follows the store's events. It has no state that must survive: no lock, no lease, no outbox
//! and no checkpoint of its own. At the start the read model tells which games wait for the
//! computer. After that, events call for reactions, and each reaction looks at the current game.
//! Any number of replicas may do this at once; see `docs/decisions/0013-react-to-events-without-a-lock.md`.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use futures_util::StreamExt;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::player::ComputerPlayer;
use super::reaction::{Failure, Reacted, Reaction};
use super::running_games::running_games;
use super::thinkers::Thinkers;
use crate::application::{
    CommandHandler, GAME_STREAM_PREFIX, GameId, GameRepository, players_at_start,
};
use crate::backoff::Backoff;
use crate::event_store::{StreamRevision, SubscriptionMessage};
use crate::metrics::Metrics;
use crate::panics::caught;
use crate::read_model::{ReadModel, ReadModelError};

/// How many reactions run at the same time. The others wait.
const AT_ONCE: usize = 64;

/// How many positions wait for a thread of the solver. A reaction that finds the queue full loads
/// its game again later, so that no decision is made on a revision that has become old.
const WAITING: usize = 32;

/// More threads would leave too little of the machine for requests.
const MOST_THREADS: usize = 4;

const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// After an outage, a move comes at most this much later than necessary.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long one attempt may take. The store may never answer.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);

/// What the process manager works with.
#[derive(Debug)]
pub struct ProcessManager {
    /// Who the computer plays as.
    pub computer: ComputerPlayer,
    /// The games.
    pub games: Arc<GameRepository>,
    /// Carries out the moves.
    pub commands: Arc<CommandHandler>,
    /// Knows which games wait for the computer at the start.
    pub read_model: Arc<ReadModel>,
    /// Counts moves and retries.
    pub metrics: Metrics,
    /// Changes when the store was restored to another state, which makes positions invalid.
    pub store_restored: watch::Receiver<u64>,
}

/// The running process manager. It stops when this is dropped.
#[derive(Debug)]
pub struct Playing(JoinHandle<()>);

impl Drop for Playing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ProcessManager {
    /// Starts the threads of the solver and the task that follows the store. Must be called within
    /// a Tokio runtime.
    ///
    /// # Errors
    ///
    /// The system starts no thread.
    pub fn start(self) -> io::Result<Playing> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = (cores / 2).clamp(1, MOST_THREADS);
        let following = Following {
            reaction: Arc::new(Reaction {
                computer: self.computer,
                games: self.games,
                commands: self.commands,
                thinkers: Thinkers::start(threads, WAITING, self.metrics.clone())?,
            }),
            read_model: self.read_model,
            metrics: self.metrics,
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        };
        let store_restored = self.store_restored;
        Ok(Playing(tokio::spawn(following.run(store_restored))))
    }
}

struct Following {
    reaction: Arc<Reaction>,
    read_model: Arc<ReadModel>,
    metrics: Metrics,
    at_once: Arc<Semaphore>,
}

/// A game of the computer that has not ended.
#[derive(Debug, Default)]
struct Known {
    /// No event up to this revision calls for a reaction.
    settled: Option<StreamRevision>,
    /// The revision of the latest event that the subscription delivered.
    latest: Option<StreamRevision>,
    /// Whether something happened since the last reaction began.
    is_due: bool,
    is_reacting: bool,
}

impl Known {
    /// Whether a reaction has to begin now. If one is running, the next begins after it.
    fn begins(&mut self) -> bool {
        let has_news = self.latest.is_none() || self.latest > self.settled;
        if self.is_reacting || !self.is_due {
            return false;
        }
        self.is_due = false;
        self.is_reacting = has_news;
        has_news
    }
}

type Reactions = JoinSet<(GameId, Reacted)>;

impl Following {
    /// Never returns.
    async fn run(self, mut store_restored: watch::Receiver<u64>) {
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            store_restored.mark_unchanged();
            // An error would mean that the service has ended, and this task with it.
            let restored = async {
                if store_restored.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = restored => {
                    pauses.reset();
                    tracing::info!("the event store was restored; the computer looks at its games again");
                    continue;
                }
                ended = caught(self.follow()) => {
                    let error = match ended {
                        Ok(Ok(())) => "the subscription of the store ended, which is a defect of the store".to_owned(),
                        Ok(Err(error)) => error.to_string(),
                        Err(panicked) => panicked.to_string(),
                    };
                    self.metrics.computer_retried("follow");
                    tracing::warn!(%error, "the computer cannot follow its games: {error}; trying again");
                }
            }
            sleep(pauses.next_pause()).await;
        }
    }

    /// Reacts to every event of the computer's games. Dropping it ends the reactions.
    async fn follow(&self) -> Result<(), ReadModelError> {
        let running = running_games(&self.read_model, &self.reaction.computer).await?;
        let store = self.reaction.games.store();
        let mut subscription = store.subscribe_all(GAME_STREAM_PREFIX, running.position);
        let mut reactions = Reactions::new();
        let mut known = HashMap::<GameId, Known>::new();
        for (id, is_turn) in running.games {
            let game = known.entry(id).or_default();
            game.is_due = is_turn;
            self.begin(&mut reactions, id, game);
        }
        loop {
            tokio::select! {
                Some(reacted) = reactions.join_next() => {
                    // Reactions neither panic nor end early.
                    let Ok((id, reacted)) = reacted else { continue };
                    self.reacted(&mut reactions, &mut known, id, reacted);
                }
                message = subscription.next() => {
                    let Some(message) = message else { return Ok(()) };
                    self.received(&mut reactions, &mut known, message);
                }
            }
        }
    }

    fn received(
        &self,
        reactions: &mut Reactions,
        known: &mut HashMap<GameId, Known>,
        message: SubscriptionMessage,
    ) {
        match message {
            SubscriptionMessage::Recorded(event) => {
                let Some(id) = GameId::of_stream(&event.stream) else {
                    return;
                };
                // Only the first event names both players. An event that cannot be decoded starts
                // no game.
                if event.revision == StreamRevision::FIRST
                    && let Ok(Some(players)) = players_at_start(&event)
                    && self.reaction.computer.plays_in(&players)
                {
                    known.entry(id).or_default();
                }
                if let Some(game) = known.get_mut(&id) {
                    game.latest = game.latest.max(Some(event.revision));
                    game.is_due = true;
                    self.begin(reactions, id, game);
                }
            }
            SubscriptionMessage::StreamTruncated(stream) => {
                if let Some(id) = GameId::of_stream(&stream)
                    && let Some(game) = known.get_mut(&id)
                {
                    (game.latest, game.settled) = (None, None);
                    game.is_due = true;
                    self.begin(reactions, id, game);
                }
            }
            // The subscription resumes after the last event that it delivered.
            SubscriptionMessage::Disconnected | SubscriptionMessage::CaughtUp => {}
        }
    }

    fn begin(&self, reactions: &mut Reactions, id: GameId, game: &mut Known) {
        if game.begins() {
            let latest = game.latest;
            let (reaction, at_once) = (self.reaction.clone(), self.at_once.clone());
            let metrics = self.metrics.clone();
            reactions.spawn(async move {
                let reacted = until_it_succeeds(&reaction, &at_once, &metrics, id, latest).await;
                (id, reacted)
            });
        }
    }

    fn reacted(
        &self,
        reactions: &mut Reactions,
        known: &mut HashMap<GameId, Known>,
        id: GameId,
        reacted: Reacted,
    ) {
        let settled = match reacted {
            Reacted::NothingToDo { at } | Reacted::Moved { at, .. } | Reacted::LostRace { at } => {
                at
            }
            Reacted::Over => {
                known.remove(&id);
                return;
            }
        };
        if let Some(game) = known.get_mut(&id) {
            game.settled = Some(settled);
            game.is_reacting = false;
            self.begin(reactions, id, game);
        }
    }
}

/// Reacts to the game, again after every failure. The game is never forgotten.
async fn until_it_succeeds(
    reaction: &Reaction,
    at_once: &Semaphore,
    metrics: &Metrics,
    id: GameId,
    latest: Option<StreamRevision>,
) -> Reacted {
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut is_first = true;
    loop {
        let failure = {
            // Never closed, so this cannot fail. Without the permit, all games would be read at once.
            let _permit = at_once.acquire().await;
            // Boxed, because thousands of games may wait for their permit.
            let attempt = Box::pin(caught(reaction.react(id, latest)));
            match timeout(LONGEST_ATTEMPT, attempt).await {
                Ok(Ok(Ok(reacted))) => {
                    count(metrics, reacted);
                    return reacted;
                }
                Ok(Ok(Err(failure))) => failure,
                Ok(Err(panicked)) => panicked.into(),
                Err(_) => Failure::TooLate,
            }
        };
        metrics.computer_retried(failure.label());
        report(id, &failure, std::mem::take(&mut is_first));
        sleep(pauses.next_pause()).await;
    }
}

fn count(metrics: &Metrics, reacted: Reacted) {
    match reacted {
        Reacted::Moved { is_repeated, .. } => metrics.computer_moved(match is_repeated {
            true => "repeated",
            false => "made",
        }),
        Reacted::LostRace { .. } => metrics.computer_moved("lost-race"),
        Reacted::NothingToDo { .. } | Reacted::Over => {}
    }
}

/// An outage of the store has its own lines in the log, so its failures are not logged once per game.
fn report(id: GameId, failure: &Failure, is_first: bool) {
    match failure.label() {
        "unreadable" | "defect" if is_first => {
            tracing::warn!(game.id = %id, error = %failure, "the computer cannot move: {failure}; trying again");
        }
        _ => {
            tracing::debug!(game.id = %id, error = %failure, "the computer cannot move: {failure}; trying again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(settled: Option<u64>, latest: Option<u64>, is_due: bool, is_reacting: bool) -> Known {
        Known {
            settled: settled.map(StreamRevision::new),
            latest: latest.map(StreamRevision::new),
            is_due,
            is_reacting,
        }
    }

    #[test]
    fn only_an_event_after_the_settled_revision_calls_for_a_reaction() {
        assert!(known(None, None, true, false).begins(), "at the start");
        assert!(known(None, Some(0), true, false).begins());
        assert!(known(Some(1), Some(2), true, false).begins());
        assert!(
            !known(Some(2), Some(2), true, false).begins(),
            "its own move"
        );
        assert!(
            !known(Some(1), Some(2), false, false).begins(),
            "nothing new"
        );
        let mut reacting = known(Some(1), Some(2), true, true);
        assert!(!reacting.begins());
        reacting.is_reacting = false;
        assert!(reacting.begins(), "after the reaction that was running");
    }
}
