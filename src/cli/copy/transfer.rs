//! Copies the games: first those that the source has, each as a whole, then what is still written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{StreamExt, pin_mut, stream};
use tokio::task::unconstrained;
use tokio_util::sync::CancellationToken;

use super::difference::Difference;
use super::error::CopyError;
use super::games::{Found, Game, Source};
use super::patience::Patience;
use super::progress::Progress;
use super::target::Target;
use crate::event_store::{
    EventStore, GlobalPosition, RecordedEvent, StreamName, StreamRevision, SubscriptionMessage,
};

/// How many games are read at the same time.
const READS: usize = 16;

/// How many appends are sent at the same time. SQLite commits those that wait in one transaction, and
/// KurrentDB needs several to be busy.
const APPENDS: usize = 90;

/// How long a store may fail before the copy ends.
const LIMIT: Duration = Duration::from_secs(30);

/// What to do with a game that differs in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDifference {
    /// The copy ends with an error that names it.
    Stop,
    /// It is listed, and the other games are copied.
    List,
}

/// The outcome for one game; the error is the first difference.
type Outcome = Result<(), Difference>;

/// A copy from one store to another.
#[derive(Debug)]
pub struct Transfer {
    source: Source,
    target: Target,
    on_difference: OnDifference,
    patience: Arc<Patience>,
    progress: Arc<Progress>,
    is_following: AtomicBool,
}

impl Transfer {
    /// Prepares a copy, and calls neither store. The target is only read by
    /// [`verify`](Transfer::verify).
    pub fn new(
        from: Arc<dyn EventStore>,
        to: Arc<dyn EventStore>,
        on_difference: OnDifference,
    ) -> Transfer {
        let patience = Arc::new(Patience::new(LIMIT));
        let progress = Arc::new(Progress::new());
        Transfer {
            source: Source {
                store: from,
                patience: patience.clone(),
                progress: progress.clone(),
            },
            target: Target {
                store: to,
                patience: patience.clone(),
                progress: progress.clone(),
                head: OnceLock::new(),
            },
            on_difference,
            patience,
            progress,
            is_following: AtomicBool::new(false),
        }
    }

    /// The counts, and the lines that are printed.
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Copies every game that the source has, and deletes in the target what was deleted in the source.
    /// Returns the end of the source at the time of the call. Games may have later events than that,
    /// and then those are copied too.
    pub async fn copy(&self) -> Result<Option<GlobalPosition>, CopyError> {
        self.target.find_head().await?;
        let head = self.source.head().await?;
        self.progress.set_head(head);
        let reading = self.source.clone().games(head).map(|found| async {
            let found = found?;
            let game = self.source.read(found.stream()).await?;
            Ok::<_, CopyError>((found, game))
        });
        // Both keep the order, so that games begin in the target in the order of the source.
        let storing = reading.buffered(READS).map(|read| async {
            let (found, game) = read?;
            let outcome = match &found {
                Found::Begun(..) => self.store_game(game).await?,
                Found::Deleted(stream) => self.delete_game(stream, game).await?,
            };
            Ok::<_, CopyError>((found, outcome))
        });
        let storing = storing.buffered(APPENDS);
        pin_mut!(storing);
        // Tokio's budget would make an append wait for its next turn, and later ones overtake it.
        while let Some(stored) = unconstrained(storing.next()).await {
            let (found, outcome) = stored?;
            self.settle(outcome)?;
            self.show_progress(&found);
        }
        Ok(head)
    }

    /// Copies what is written after the position, until it is stopped. Then copies what the source
    /// has by then, so that a service that was stopped before has lost nothing. Until it is stopped, a
    /// store may be away for any time.
    pub async fn follow(
        &self,
        after: Option<GlobalPosition>,
        stop: &CancellationToken,
    ) -> Result<(), CopyError> {
        self.is_following.store(true, Ordering::Relaxed);
        self.patience.set_endless(true);
        let hurry = async {
            stop.cancelled().await;
            self.patience.set_endless(false);
            std::future::pending().await
        };
        tokio::select! {
            outcome = self.follow_until(after, stop) => outcome,
            outcome = hurry => outcome,
        }
    }

    async fn follow_until(
        &self,
        mut after: Option<GlobalPosition>,
        stop: &CancellationToken,
    ) -> Result<(), CopyError> {
        let mut messages = self.source.subscribe(after);
        loop {
            let taken = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                taken = self.source.next(&mut messages) => taken?,
            };
            let last = self.continue_games(taken).await?;
            after = last.or(after);
        }
        let head = self.source.head().await?;
        let rest = self.source.subscribe(after);
        let rest = self.source.clone().until(head, rest);
        pin_mut!(rest);
        while let Some(taken) = rest.next().await {
            self.continue_games(taken?).await?;
        }
        Ok(())
    }

    /// Compares every game that the source has, and those that were deleted, with the target.
    pub async fn verify(&self) -> Result<(), CopyError> {
        let head = self.source.head().await?;
        self.progress.set_head(head);
        let comparing = self.source.clone().games(head).map(|found| async {
            let found = found?;
            let game = self.source.read(found.stream()).await?;
            let outcome = self.compare_game(&found, game).await?;
            Ok::<_, CopyError>((found, outcome))
        });
        let comparing = comparing.buffered(READS);
        pin_mut!(comparing);
        while let Some(compared) = comparing.next().await {
            let (found, outcome) = compared?;
            self.settle(outcome)?;
            self.show_progress(&found);
        }
        Ok(())
    }

    pub(super) fn is_following(&self) -> bool {
        self.is_following.load(Ordering::Relaxed)
    }

    async fn compare_game(&self, found: &Found, game: Game) -> Result<Outcome, CopyError> {
        match (found, game) {
            (Found::Begun(stream, _), Game::Whole(events)) => {
                self.progress.games.add(1);
                self.target.compare(stream, &events).await
            }
            // The source says that it was deleted, now or later.
            (Found::Begun(..), Game::Truncated | Game::Deleted)
            | (Found::Deleted(_), Game::Whole(_)) => Ok(Ok(())),
            (Found::Deleted(stream), game @ (Game::Truncated | Game::Deleted)) => {
                self.progress.deleted.add(stream);
                self.target.compare_deleted(stream, &game).await
            }
        }
    }

    /// Stores all events of a game. Nothing is stored of one that was deleted in the source, because
    /// the source says that separately.
    async fn store_game(&self, game: Game) -> Result<Outcome, CopyError> {
        match game {
            Game::Whole(events) => self.store_events(events).await,
            Game::Truncated | Game::Deleted => Ok(Ok(())),
        }
    }

    /// Stores consecutive events of a game, or finds that the target has them already.
    async fn store_events(&self, events: Vec<RecordedEvent>) -> Result<Outcome, CopyError> {
        let is_first = |event: &RecordedEvent| event.revision == StreamRevision::FIRST;
        if events.first().is_some_and(is_first) {
            self.progress.games.add(1);
        }
        let Err(difference) = self.target.store(&events).await? else {
            return Ok(Ok(()));
        };
        // It may have been deleted in the source since it was read, and then in the target.
        Ok(match self.source.read(&difference.stream).await? {
            Game::Whole(_) => Err(difference),
            Game::Truncated | Game::Deleted => Ok(()),
        })
    }

    /// Deletes a game in the target that was deleted in the source. One that lost only its first events
    /// is left alone, because that may be undone.
    async fn delete_game(&self, stream: &StreamName, game: Game) -> Result<Outcome, CopyError> {
        match game {
            // Only the settings of its stream were changed.
            Game::Whole(_) => return Ok(Ok(())),
            Game::Truncated | Game::Deleted => self.progress.deleted.add(stream),
        };
        if let Game::Deleted = game {
            self.target.delete(stream).await?;
        }
        self.target.compare_deleted(stream, &game).await
    }

    /// Copies what the messages say. Returns the position of the last event.
    async fn continue_games(
        &self,
        messages: Vec<SubscriptionMessage>,
    ) -> Result<Option<GlobalPosition>, CopyError> {
        let mut events = Vec::with_capacity(messages.len());
        let mut deleted = Vec::new();
        for message in messages {
            match message {
                SubscriptionMessage::Recorded(event) => events.push(event),
                SubscriptionMessage::StreamTruncated(stream) => deleted.push(stream),
                SubscriptionMessage::CaughtUp | SubscriptionMessage::Disconnected => {}
            }
        }
        let last = events.last().map(|event| event.position);
        let storing = stream::iter(by_stream(events)).map(|events| self.store_events(events));
        let storing = storing.buffered(APPENDS);
        pin_mut!(storing);
        while let Some(stored) = storing.next().await {
            self.settle(stored?)?;
        }
        for stream in deleted {
            let game = self.source.read(&stream).await?;
            self.settle(self.delete_game(&stream, game).await?)?;
        }
        Ok(last)
    }

    fn show_progress(&self, found: &Found) {
        if let Found::Begun(_, position) = found {
            self.progress.reached(*position);
        }
    }

    fn settle(&self, outcome: Outcome) -> Result<(), CopyError> {
        let Err(difference) = outcome else {
            return Ok(());
        };
        if self.on_difference == OnDifference::Stop {
            return Err(CopyError::Differs(difference));
        }
        if self.progress.differing.add(&difference.stream) {
            self.progress.say(&difference.to_string());
        }
        Ok(())
    }
}

/// The events of each stream, in the order of the first event of each.
fn by_stream(events: Vec<RecordedEvent>) -> Vec<Vec<RecordedEvent>> {
    let mut places = HashMap::new();
    let mut streams: Vec<Vec<RecordedEvent>> = Vec::new();
    for event in events {
        let place = *places.entry(event.stream.clone()).or_insert(streams.len());
        match streams.get_mut(place) {
            Some(stream) => stream.push(event),
            None => streams.push(vec![event]),
        }
    }
    streams
}
