//! Path parameters.

use crate::http::problem::ProblemType;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::application::GameId;
use crate::http::problem::Problem;

/// The game id in the path. An id that is not a UUID is a 404.
#[derive(Debug)]
pub(crate) struct GamePath(pub(crate) GameId);

impl<S: Send + Sync> FromRequestParts<S> for GamePath {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        // An id needs no decoding, and the decoded parameters would have to be copied.
        let below = head.uri.path().strip_prefix("/games/").unwrap_or_default();
        let (id, rest) = below.split_at_checked(GameId::LENGTH).unwrap_or_default();
        let ends = rest.is_empty() || rest.starts_with('/');
        let Some(id) = id.parse().ok().filter(|_| ends) else {
            let MovePath(id, _) = MovePath::from_request_parts(head, state).await?;
            return Ok(GamePath(id));
        };
        tracing::Span::current().record("game.id", tracing::field::display(id));
        Ok(GamePath(id))
    }
}

/// The game id in the path, and the segment after `moves`, not parsed: a segment that is not the number of a
/// move is a 404.
#[derive(Debug)]
pub(crate) struct MovePath(pub(crate) GameId, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for MovePath {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let segments = RawPathParams::from_request_parts(head, state)
            .await
            .map_err(|_| undecodable())?;
        let mut segments = segments.iter().map(|(_, segment)| segment);
        let id = segments.next().unwrap_or_default();
        let id: GameId = id.parse().map_err(|_| Problem::game_not_found(id))?;
        tracing::Span::current().record("game.id", tracing::field::display(id));
        let number = segments.next().unwrap_or_default();
        Ok(MovePath(id, number.to_owned()))
    }
}

/// A path that is not UTF-8.
pub(crate) fn undecodable() -> Problem {
    Problem::new(
        ProblemType::NotFound,
        "The path is not percent-encoded UTF-8. Encode it as UTF-8.",
    )
}
