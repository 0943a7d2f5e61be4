//! Appends events to the target at exactly their revisions, and compares what is there already.

use std::sync::{Arc, OnceLock};

use super::difference::{Difference, DifferenceKind};
use super::error::CopyError;
use super::games::Game;
use super::patience::{Patience, Side};
use super::progress::Progress;
use crate::application::upcast;
use crate::event_store::{
    EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent, RecordedEvent,
    StreamName, StreamRevision, StreamSlice,
};

/// The largest append in bytes, if it has more than one event. KurrentDB accepts a megabyte.
const APPEND_BYTES: usize = 512 * 1024;

/// The largest append in events.
const APPEND_EVENTS: usize = 500;

/// The target, and how patiently it is called.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) patience: Arc<Patience>,
    pub(super) progress: Arc<Progress>,
    /// The last position before the copy began. It tells which events an append has just stored.
    pub(super) head: OnceLock<Option<GlobalPosition>>,
}

impl Target {
    /// Notes where the target ends before the copy begins.
    pub(super) async fn find_head(&self) -> Result<(), CopyError> {
        let head = self
            .patience
            .call(Side::Target, &self.progress, || self.store.head())
            .await?
            .map_err(CopyError::Target)?;
        self.head.get_or_init(|| head);
        Ok(())
    }

    /// Stores consecutive events of a stream, except those that are there already. The inner error
    /// is the first difference; nothing is stored after it.
    pub(super) async fn store(
        &self,
        events: &[RecordedEvent],
    ) -> Result<Result<(), Difference>, CopyError> {
        let mut rest = events;
        while let Some(first) = rest.first() {
            let stream = &first.stream;
            let differs = |kind| {
                let stream = stream.clone();
                Ok(Err(Difference { stream, kind }))
            };
            let part = rest.split_at(size_of_append(rest)).0;
            let expected = match first.revision.number().checked_sub(1) {
                None => ExpectedRevision::NoStream,
                Some(before) => ExpectedRevision::Exact(StreamRevision::new(before)),
            };
            let appended = self
                .patience
                .call(Side::Target, &self.progress, || {
                    let copies = part.iter().map(copy_of).collect();
                    self.store.append(stream, expected, copies)
                })
                .await?;
            let done = match appended {
                Ok(appended) if Some(appended.position) > self.head.get().copied().flatten() => {
                    self.progress.events.add(part.len());
                    part.len()
                }
                Ok(_) => {
                    self.progress.present.add(part.len());
                    part.len()
                }
                Err(EventStoreError::WrongExpectedRevision { .. }) => {
                    match self.stored_part(stream, first.revision, rest).await? {
                        Ok(stored) => {
                            self.progress.present.add(stored);
                            stored
                        }
                        Err(kind) => return differs(kind),
                    }
                }
                Err(EventStoreError::StreamDeleted { .. }) => {
                    return differs(DifferenceKind::Deleted);
                }
                Err(error) => return Err(CopyError::Target(error)),
            };
            rest = rest.get(done..).unwrap_or_default();
        }
        Ok(Ok(()))
    }

    /// How many of these events the stream has, at least one: an append conflicted with it.
    async fn stored_part(
        &self,
        stream: &StreamName,
        from: StreamRevision,
        events: &[RecordedEvent],
    ) -> Result<Result<usize, DifferenceKind>, CopyError> {
        let slice = match self.read(stream, from).await? {
            Some(slice) => slice,
            None => return Ok(Err(DifferenceKind::Deleted)),
        };
        let stored = match first_difference(events, &slice, from) {
            Some(DifferenceKind::Missing(revision)) if revision > from => {
                usize::try_from(revision.number() - from.number()).unwrap_or(usize::MAX)
            }
            Some(kind) => return Ok(Err(kind)),
            None => events.len(),
        };
        Ok(Ok(stored))
    }

    /// Compares all events of a stream with those in the target.
    pub(super) async fn compare(
        &self,
        stream: &StreamName,
        events: &[RecordedEvent],
    ) -> Result<Result<(), Difference>, CopyError> {
        let kind = match self.read(stream, StreamRevision::FIRST).await? {
            None => Some(DifferenceKind::Deleted),
            Some(slice) => {
                if slice.events.len() > events.len() {
                    self.progress.longer.add(1);
                }
                first_difference(events, &slice, StreamRevision::FIRST)
            }
        };
        self.progress.events.add(events.len());
        let stream = stream.clone();
        Ok(kind.map_or(Ok(()), |kind| Err(Difference { stream, kind })))
    }

    /// Deletes a stream that was deleted in the source, so that nobody can begin it again.
    pub(super) async fn delete(&self, stream: &StreamName) -> Result<(), CopyError> {
        let Some(slice) = self.read(stream, StreamRevision::FIRST).await? else {
            return Ok(());
        };
        self.patience
            .call(Side::Target, &self.progress, || {
                self.store.delete_stream(stream)
            })
            .await?
            .map_err(CopyError::Target)?;
        if !slice.events.is_empty() {
            self.progress.erased.add(1);
            self.progress.say(&format!(
                "{stream} was deleted in the source, and now in the target"
            ));
        }
        Ok(())
    }

    /// Compares a game that was deleted in the source. Of one that lost only its first events, the
    /// target may have what is left.
    pub(super) async fn compare_deleted(
        &self,
        stream: &StreamName,
        game: &Game,
    ) -> Result<Result<(), Difference>, CopyError> {
        let is_gone = match self.read(stream, StreamRevision::FIRST).await? {
            None => true,
            Some(slice) => {
                let first = slice.events.first().map(|event| event.revision);
                matches!(game, Game::Truncated) && first != Some(StreamRevision::FIRST)
            }
        };
        let difference = (!is_gone).then(|| Difference {
            stream: stream.clone(),
            kind: DifferenceKind::NotDeleted,
        });
        Ok(difference.map_or(Ok(()), Err))
    }

    /// The end of a stream; `None` if it was deleted.
    async fn read(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<Option<StreamSlice>, CopyError> {
        let read = self
            .patience
            .call(Side::Target, &self.progress, || {
                self.store.read_stream(stream, from)
            })
            .await?;
        match read {
            Ok(slice) => Ok(Some(slice)),
            Err(EventStoreError::StreamDeleted { .. }) => Ok(None),
            Err(error) => Err(CopyError::Target(error)),
        }
    }
}

/// The first difference between events of the source and the stream in the target, which was read
/// from the revision of the first of them.
fn first_difference(
    events: &[RecordedEvent],
    slice: &StreamSlice,
    from: StreamRevision,
) -> Option<DifferenceKind> {
    let next = ExpectedRevision::at(slice.last_revision).first_appended();
    let Some(first) = slice.events.first() else {
        return Some(DifferenceKind::Missing(next.min(from)));
    };
    if first.revision != from {
        return Some(DifferenceKind::Deleted);
    }
    let mut pairs = events.iter().zip(&slice.events);
    if let Some((event, _)) = pairs.find(|(event, stored)| !upcast::is_copy(event, stored)) {
        return Some(DifferenceKind::OtherEvent(event.revision));
    }
    let missing = events.get(slice.events.len())?;
    Some(DifferenceKind::Missing(missing.revision))
}

fn copy_of(event: &RecordedEvent) -> NewEvent {
    NewEvent {
        id: event.id,
        event_type: event.event_type.clone(),
        data: event.data.clone(),
        metadata: upcast::metadata_of_copy(event),
    }
}

/// How many of the events, at least one, fit in one append.
fn size_of_append(events: &[RecordedEvent]) -> usize {
    let mut bytes = 0;
    let fitting = events.iter().take(APPEND_EVENTS).take_while(|event| {
        bytes += event.data.len() + event.metadata.len() + 100;
        bytes <= APPEND_BYTES
    });
    fitting.count().max(1)
}
