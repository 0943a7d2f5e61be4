//! The position of a subscription, and where it resumes after a lost connection.

use crate::event_store::GlobalPosition;

/// The position of a subscription.
///
/// The latest checkpoint does not count as seen. It means that the server has checked everything
/// before it, but some server versions send a checkpoint whose position the next event then gets.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The last event that was received, whether it was delivered or skipped.
    event: Option<GlobalPosition>,
    latest_checkpoint: Option<GlobalPosition>,
    /// The checkpoint before the latest one. No later event can have its position.
    earlier_checkpoint: Option<GlobalPosition>,
}

impl Place {
    pub(super) fn after(event: Option<GlobalPosition>) -> Place {
        Place {
            event,
            ..Place::default()
        }
    }

    /// Records the event. False when it was seen before.
    pub(super) fn saw_event(&mut self, at: GlobalPosition) -> bool {
        let is_new = self.event < Some(at);
        if is_new {
            self.event = Some(at);
        }
        is_new
    }

    pub(super) fn saw_checkpoint(&mut self, at: GlobalPosition) {
        if self.latest_checkpoint < Some(at) {
            self.earlier_checkpoint = self.latest_checkpoint.replace(at);
        }
    }

    /// The position to resume after, so that no event is missed; `None` for the beginning.
    pub(super) fn resume_after(&self) -> Option<GlobalPosition> {
        self.event.max(self.earlier_checkpoint)
    }

    /// Makes the subscription resume after the last event, for a server that cannot resume from a
    /// checkpoint. False when it would have resumed there anyway.
    pub(super) fn forget_checkpoints(&mut self) -> bool {
        let before = self.resume_after();
        (self.latest_checkpoint, self.earlier_checkpoint) = (None, None);
        self.resume_after() != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> GlobalPosition {
        GlobalPosition::counted(number)
    }

    #[test]
    fn an_event_at_the_position_of_a_checkpoint_is_new() {
        let mut place = Place::after(Some(at(10)));
        place.saw_checkpoint(at(20));
        assert!(place.saw_event(at(20)));
        assert!(!place.saw_event(at(20)));
        assert!(!place.saw_event(at(10)));
    }

    #[test]
    fn it_resumes_after_the_last_event_or_the_checkpoint_before_the_last() {
        let mut place = Place::after(None);
        assert_eq!(place.resume_after(), None);
        place.saw_checkpoint(at(20));
        assert_eq!(place.resume_after(), None);
        place.saw_checkpoint(at(20));
        assert_eq!(place.resume_after(), None);
        place.saw_checkpoint(at(30));
        assert_eq!(place.resume_after(), Some(at(20)));
        place.saw_event(at(25));
        assert_eq!(place.resume_after(), Some(at(25)));
    }

    #[test]
    fn without_checkpoints_it_resumes_after_the_last_event() {
        let mut place = Place::after(Some(at(10)));
        assert!(!place.forget_checkpoints());
        place.saw_checkpoint(at(20));
        place.saw_checkpoint(at(30));
        assert!(place.forget_checkpoints());
        assert_eq!(place.resume_after(), Some(at(10)));
    }
}
