//! The stored events of a game that exists.

use crate::application::{GameId, HistoricEvent, History};
use crate::event_store::StreamRevision;
use crate::http::app::App;
use crate::http::problem::Problem;

/// The stored events of a game that exists, and the revision of the last of them.
pub(crate) async fn stored_history(
    app: &App,
    id: GameId,
) -> Result<(History, StreamRevision), Problem> {
    let history = app
        .games
        .stored_history(id)
        .await
        .map_err(|error| Problem::of_load(id, error))?;
    match history.recorded().last().map(|last| last.revision) {
        Some(revision) => Ok((history, revision)),
        None => Err(Problem::game_not_found(&id.to_string())),
    }
}

/// The whole history; a problem if the stored events are not a valid game.
pub(crate) fn whole(id: GameId, history: History) -> Result<Vec<HistoricEvent>, Problem> {
    let whole = history.whole();
    whole.map_err(|error| Problem::of_load(id, error))
}
