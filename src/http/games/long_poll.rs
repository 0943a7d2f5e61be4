//! Long polling for the next move: `GET /games/{id}` with `If-None-Match` and
//! `Prefer: wait=30` (RFC 7240, 4.3).

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use tokio::time::{Instant, timeout_at};

use crate::application::{GameAtRevision, GameId};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::prefer::{Wait, preference_applied};
use crate::http::response::deadline::in_time;
use crate::live::Interrupted;

/// Responds with the game. If the response would be a 304 and the client waits, responds with the next revision
/// instead. For a finished game, which has no next revision, and when the service stops, responds with the 304
/// at once.
pub(crate) async fn answer_when_new(
    app: &App,
    id: GameId,
    wait: Wait,
    answer: impl Fn(&GameAtRevision) -> Result<Response, Problem>,
) -> Result<Response, Problem> {
    let Some(seconds) = wait.seconds() else {
        return answer(&*load(app, id).await?);
    };
    let until = Instant::now() + Duration::from_secs(seconds);
    // Watch before loading the game, so that a move made in between is not missed.
    let watcher = in_time(app.live.watch(id)).await?;
    let mut loaded = in_time(load(app, id)).await??;
    let mut response = answer(&loaded)?;
    if let Some(revision) = loaded.revision {
        let mut following = watcher.after(revision);
        let is_known = |response: &Response| response.status() == StatusCode::NOT_MODIFIED;
        while is_known(&response) && loaded.game.result().is_none() {
            match timeout_at(until, following.next()).await {
                Ok(Ok(_) | Err(Interrupted::Behind)) => {
                    loaded = in_time(load(app, id)).await??;
                    response = answer(&loaded)?;
                }
                Ok(Err(Interrupted::Stopped)) | Err(_) => break,
            }
        }
    }
    response.headers_mut().extend([preference_applied(seconds)]);
    Ok(response)
}

async fn load(app: &App, id: GameId) -> Result<Arc<GameAtRevision>, Problem> {
    let loaded = app.games.load(id).await;
    loaded.map_err(|error| Problem::of_load(id, error))
}
