//! Lost races: another append to the same stream came first. Its event may become readable a
//! little later than the conflict that it caused.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::application::command_error::LostRace;
use crate::application::load_error::LoadError;
use crate::application::{GameAtRevision, GameId, GameRepository};
use crate::backoff::Backoff;
use crate::event_store::StreamRevision;

/// How long one command waits in total until such events are readable. KurrentDB takes 5 to 40 ms.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The lost races of one command.
#[derive(Debug, Default)]
pub(super) struct Races {
    /// The revision of the stream at the latest lost race.
    actual: Option<StreamRevision>,
    /// When the command stops waiting. Set at the first lost race.
    until: Option<Instant>,
}

impl Races {
    pub(super) fn lost(&mut self, race: LostRace) {
        self.actual = race.actual;
        self.until
            .get_or_insert_with(|| Instant::now() + LONGEST_WAIT);
    }

    /// Loads the current game. Waits until it includes the event that won the latest race, or until
    /// the time is up.
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
