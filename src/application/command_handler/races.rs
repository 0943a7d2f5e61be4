//! Lost races: the event that won may become readable a little later than the conflict that it
//! caused.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::application::command_error::LostRace;
use crate::application::load_error::LoadError;
use crate::application::{GameAtRevision, GameId, GameRepository};
use crate::backoff::Backoff;
use crate::event_store::StreamRevision;

/// How long a command waits in all for events that won. KurrentDB takes 5 to 40 ms.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The races that one command has lost.
#[derive(Debug, Default)]
pub(super) struct Races {
    /// Where the stream was when the last race was lost.
    actual: Option<StreamRevision>,
    /// When the command stops waiting; set by the first loss.
    until: Option<Instant>,
}

impl Races {
    pub(super) fn lost(&mut self, race: LostRace) {
        self.actual = race.actual;
        self.until
            .get_or_insert_with(|| Instant::now() + LONGEST_WAIT);
    }

    /// The game as it is now, with the event that won the last race, unless that does not
    /// become readable in time.
    pub(super) async fn load(
        &self,
        games: &GameRepository,
        id: GameId,
    ) -> Result<Arc<GameAtRevision>, LoadError> {
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_WAIT);
        loop {
            let loaded = games.load(id).await?;
            let has_time = self.until.is_some_and(|until| Instant::now() < until);
            if loaded.revision >= self.actual || !has_time {
                return Ok(loaded);
            }
            sleep(pauses.next_pause()).await;
        }
    }
}
