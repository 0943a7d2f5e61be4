//! Path parameters.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::problem::Problem;
use super::problem_type::ProblemType;
use crate::application::GameId;

/// The game that the path names. An id that is no UUID names no game, which is 404.
#[derive(Debug)]
pub(super) struct GamePath(pub(super) GameId);

impl<S: Send + Sync> FromRequestParts<S> for GamePath {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let MovePath(id, _) = MovePath::from_request_parts(head, state).await?;
        Ok(GamePath(id))
    }
}

/// The game that the path names, and the rest of what follows `moves`, unread: what is no
/// number of a move is no move.
#[derive(Debug)]
pub(super) struct MovePath(pub(super) GameId, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for MovePath {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Path(segments) = Path::<Vec<(String, String)>>::from_request_parts(head, state)
            .await
            .map_err(|_| undecodable())?;
        let mut segments = segments.into_iter().map(|(_, segment)| segment);
        let id = segments.next().unwrap_or_default();
        let id: GameId = id.parse().map_err(|_| Problem::game_not_found(&id))?;
        tracing::Span::current().record("game.id", tracing::field::display(id));
        Ok(MovePath(id, segments.next().unwrap_or_default()))
    }
}

/// A path that is no text.
pub(super) fn undecodable() -> Problem {
    Problem::new(
        ProblemType::NotFound,
        "The path is not percent-encoded UTF-8.",
    )
}
