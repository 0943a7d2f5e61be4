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
use super::games::Source;
use super::patience::Patience;
use super::progress::Progress;
use super::target::Target;
use crate::application::GAME_STREAM_PREFIX;
use crate::event_store::{
    EventStore, GlobalPosition, RecordedEvent, StreamName, StreamRevision, SubscriptionMessage,
};

/// How many games are read at the same time.
const READS: usize = 16;

/// How many appends are sent at the same time. SQLite commits those that wait in one transaction,
/// and KurrentDB needs several to be busy.
const APPENDS: usize = 64;

/// How many messages of the subscription are taken together.
const MESSAGES: usize = 512;

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

    /// Copies every game that the source has. Returns the end of the source at the time of the call.
    /// Games may have later events than that, and then those are copied too.
    pub async fn copy(&self) -> Result<Option<GlobalPosition>, CopyError> {
        self.target.find_head().await?;
        let head = self.source.head().await?;
        self.progress.set_head(head);
        let reading = self.source.clone().games(head).map(|found| async {
            let (stream, position) = found?;
            let events = self.source.read(&stream).await?;
            Ok::<_, CopyError>((position, events))
        });
        // Both keep the order, so that games begin in the target in the order of the source.
        let storing = reading.buffered(READS).map(|read| async {
            let (position, events) = read?;
            let outcome = self.store_game(events).await?;
            Ok::<_, CopyError>((position, outcome))
        });
        let storing = storing.buffered(APPENDS);
        pin_mut!(storing);
        // Tokio's budget would make an append wait for its next turn, and later ones overtake it.
        while let Some(stored) = unconstrained(storing.next()).await {
            let (position, outcome) = stored?;
            self.settle(outcome)?;
            self.progress.reached(position);
        }
        Ok(head)
    }

    /// Copies what is written after the position, until it is stopped. Then copies what the source
    /// has by then, so that a service that was stopped before has lost nothing.
    pub async fn follow(
        &self,
        after: Option<GlobalPosition>,
        stop: &CancellationToken,
    ) -> Result<(), CopyError> {
        self.is_following.store(true, Ordering::Relaxed);
        self.patience.set_endless(true);
        let messages = self.source.store.subscribe_all(GAME_STREAM_PREFIX, after);
        let mut messages = messages.ready_chunks(MESSAGES);
        let mut after = after;
        loop {
            let taken = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                taken = messages.next() => taken.unwrap_or_default(),
            };
            let mut events = Vec::with_capacity(taken.len());
            let mut truncated = Vec::new();
            for message in taken {
                match message {
                    SubscriptionMessage::Recorded(event) => events.push(event),
                    SubscriptionMessage::StreamTruncated(stream) => truncated.push(stream),
                    SubscriptionMessage::CaughtUp | SubscriptionMessage::Disconnected => {}
                }
            }
            let last = events.last().map(|event| event.position);
            self.copy_events(events).await?;
            after = last.or(after);
            for stream in truncated {
                self.report_deletion(&stream).await?;
            }
        }
        let head = self.source.head().await?;
        let pages = self.source.clone().pages(after, head);
        pin_mut!(pages);
        while let Some(page) = pages.next().await {
            self.copy_events(page?).await?;
        }
        Ok(())
    }

    /// Compares every game that the source has with the target.
    pub async fn verify(&self) -> Result<(), CopyError> {
        let head = self.source.head().await?;
        self.progress.set_head(head);
        let comparing = self.source.clone().games(head).map(|found| async {
            let (stream, position) = found?;
            let outcome = match self.source.read(&stream).await? {
                Some(events) => self.compare_game(&stream, &events).await?,
                None => {
                    self.progress.deleted.add(1);
                    Ok(())
                }
            };
            Ok::<_, CopyError>((position, outcome))
        });
        let comparing = comparing.buffered(READS);
        pin_mut!(comparing);
        while let Some(compared) = comparing.next().await {
            let (position, outcome) = compared?;
            self.settle(outcome)?;
            self.progress.reached(position);
        }
        Ok(())
    }

    /// Ends the patience with stores that do not answer, because a signal asks for the end.
    pub(super) fn hurry(&self) {
        self.patience.set_endless(false);
    }

    pub(super) fn is_following(&self) -> bool {
        self.is_following.load(Ordering::Relaxed)
    }

    async fn compare_game(
        &self,
        stream: &StreamName,
        events: &[RecordedEvent],
    ) -> Result<Outcome, CopyError> {
        self.progress.games.add(1);
        self.target.compare(stream, events).await
    }

    /// Stores all events of a game; `None` for one that was deleted in the source.
    async fn store_game(&self, events: Option<Vec<RecordedEvent>>) -> Result<Outcome, CopyError> {
        let Some(events) = events else {
            self.progress.deleted.add(1);
            return Ok(Ok(()));
        };
        self.progress.games.add(1);
        self.target.store(&events).await
    }

    async fn copy_events(&self, events: Vec<RecordedEvent>) -> Result<(), CopyError> {
        let storing = stream::iter(by_stream(events)).map(|events| self.continue_game(events));
        let storing = storing.buffered(APPENDS);
        pin_mut!(storing);
        while let Some(stored) = storing.next().await {
            self.settle(stored?)?;
        }
        Ok(())
    }

    /// Stores the next events of a game. If the target lacks the events before them, or the game
    /// begins with them, the whole stream is read: it may have been deleted meanwhile.
    async fn continue_game(&self, events: Vec<RecordedEvent>) -> Result<Outcome, CopyError> {
        let Some(first) = events.first() else {
            return Ok(Ok(()));
        };
        let stream = first.stream.clone();
        if first.revision > StreamRevision::FIRST {
            let stored = self.target.store(&events).await?;
            if stored.is_ok() {
                return Ok(stored);
            }
        }
        let whole = self.source.read(&stream).await?;
        self.store_game(whole).await
    }

    async fn report_deletion(&self, stream: &StreamName) -> Result<(), CopyError> {
        let is_deleted = self.source.read(stream).await?.is_none();
        if is_deleted && self.target.has(stream).await? {
            self.progress.deleted.add(1);
            self.progress.say(&format!(
                "{stream} was deleted in the source and is still in the target: delete it there too"
            ));
        }
        Ok(())
    }

    fn settle(&self, outcome: Outcome) -> Result<(), CopyError> {
        let Err(difference) = outcome else {
            return Ok(());
        };
        if self.on_difference == OnDifference::Stop {
            return Err(CopyError::Differs(difference));
        }
        self.progress.differing.add(1);
        self.progress.say(&difference.to_string());
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
