//! Refusals as `application/problem+json` (RFC 9457), and the only place that turns errors
//! into statuses.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::conditional::{etag_headers, precondition_required, revision_mismatch};
use super::idempotency;
use super::position::event_position;
use super::problem_type::ProblemType;
use crate::application::{CommandError, GameId, LoadError, Terms};
use crate::domain::{PlayerName, PlayersNotDistinct, Rejection};
use crate::event_store::{EventStoreError, GlobalPosition, StreamRevision};
use crate::read_model::ReadModelError;

/// A refusal, on its way to the client.
///
/// As a response it is an empty one that carries the problem as an extension; the outermost
/// layer, which knows the request's id, writes the body.
#[derive(Debug, Clone)]
pub(super) struct Problem(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    problem_type: ProblemType,
    detail: String,
    members: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem of this type. The detail is for people: what happened, and what to do next.
    pub(super) fn new(problem_type: ProblemType, detail: impl Into<String>) -> Problem {
        Problem(Box::new(Content {
            problem_type,
            detail: detail.into(),
            members: Map::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// Adds an extension member (RFC 9457, 3.2), for programs.
    #[must_use]
    pub(super) fn with(mut self, member: &str, value: impl Serialize) -> Problem {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.0.members.insert(member.to_owned(), value);
        self
    }

    /// Adds a header field.
    #[must_use]
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.headers.insert(name, value);
        self
    }

    /// Adds header fields, if there are any.
    #[must_use]
    pub(super) fn with_headers(
        mut self,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Problem {
        self.0.headers.extend(headers);
        self
    }

    /// Says where the game stands, in the body and as the entity tag.
    #[must_use]
    fn at_revision(mut self, revision: Option<StreamRevision>) -> Problem {
        if let Some(revision) = revision {
            self.0.headers.extend(etag_headers(revision));
            self = self.with("revision", revision.number());
        }
        self
    }

    /// The problem's slug.
    pub(super) fn slug(&self) -> &'static str {
        self.0.problem_type.slug()
    }

    /// The answer, with the request's id as the instance of the problem.
    pub(super) fn render(self, request_id: Uuid) -> Response {
        let status = self.0.problem_type.status();
        let mut body = Map::new();
        body.insert("type".into(), json!(format!("/problems/{}", self.slug())));
        body.insert("title".into(), json!(self.0.problem_type.title()));
        body.insert("status".into(), json!(status.as_u16()));
        body.insert("detail".into(), json!(self.0.detail));
        body.insert("instance".into(), json!(request_id.urn().to_string()));
        body.extend(self.0.members);
        let mut response = Response::new(Body::from(Value::Object(body).to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.0.headers);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.problem_type.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    /// No game has this id. Ids that are no UUIDs end here too.
    pub(super) fn game_not_found(id: &str) -> Problem {
        Problem::new(
            ProblemType::GameNotFound,
            "There is no game with this id. POST /games starts one.",
        )
        .with("game_id", id)
    }

    /// The game has fewer moves.
    pub(super) fn move_not_found(number: &str, revision: StreamRevision) -> Problem {
        Problem::new(
            ProblemType::MoveNotFound,
            format!("The game has no move {number} yet. Moves are counted from 1."),
        )
        .with("current_revision", revision.number())
        .at_current(revision)
    }

    /// The game has not come so far.
    pub(super) fn revision_not_found(number: u64, current: StreamRevision) -> Problem {
        Problem::new(
            ProblemType::RevisionNotFound,
            format!("The game is at revision {current}; it may come to {number} yet."),
        )
        .with("current_revision", current.number())
        .at_current(current)
    }

    /// Nobody of this name plays, as far as the lists have come.
    pub(super) fn player_not_found(name: &str, position: Option<GlobalPosition>) -> Problem {
        Problem::new(
            ProblemType::PlayerNotFound,
            "No player of this name takes part in a game, as far as the lists have come.",
        )
        .with("player", name)
        .with_headers(event_position(position))
    }

    /// The lists are here, and not yet where they should be; `None` is the end of what there
    /// was when the service started.
    pub(super) fn read_model_behind(
        position: Option<GlobalPosition>,
        expected: Option<GlobalPosition>,
    ) -> Problem {
        let detail = match expected {
            Some(_) => "The lists do not tell of this event yet. Ask again, or wait for it.",
            None => "The lists are being brought up to date. Games can be played meanwhile.",
        };
        let text = |position: Option<GlobalPosition>| position.map(|at| at.to_string());
        Problem::new(ProblemType::ReadModelBehind, detail)
            .with("event_position", text(position))
            .with("expected", text(expected))
            .retry_after("1")
    }

    /// The lists could not be read.
    pub(super) fn of_read_model(error: &ReadModelError) -> Problem {
        tracing::error!(%error, "the read model failed");
        Problem::new(
            ProblemType::ReadModelUnavailable,
            "The lists cannot be read now. Games can be played meanwhile.",
        )
        .retry_after("2")
    }

    /// Says where the game stands as the entity tag.
    pub(super) fn at_current(mut self, revision: StreamRevision) -> Problem {
        self.0.headers.extend(etag_headers(revision));
        self
    }

    /// A command on this game was not carried out, on these terms.
    pub(super) fn of_command(id: GameId, error: CommandError, terms: &Terms) -> Problem {
        match error {
            CommandError::Rejected {
                rejection,
                revision,
            } => Problem::of_rejection(id, rejection, revision),
            CommandError::PreconditionFailed { current, missed } => {
                revision_mismatch(&terms.precondition, current, &missed)
            }
            CommandError::PreconditionRequired { current } => precondition_required(current),
            CommandError::KeyReused { original } => idempotency::key_reused(&original),
            CommandError::Contention => Problem::new(
                ProblemType::Contention,
                "Other moves of this game kept coming first. Nothing was done; send it again.",
            )
            .retry_after("1"),
            CommandError::Load(error) => Problem::of_load(id, error),
            CommandError::Append { decided_on, error } => {
                if let EventStoreError::OutcomeUnknown { .. } = error {
                    tracing::debug!(%error, "the outcome of an append is unknown");
                    let key = terms.key.as_ref();
                    return idempotency::outcome_unknown(id, key, decided_on);
                }
                Problem::of_store(error)
            }
        }
    }

    /// A game could not be loaded.
    pub(super) fn of_load(id: GameId, error: LoadError) -> Problem {
        match error {
            LoadError::Store(error) => Problem::of_store(error),
            LoadError::Unreadable { revision, .. } => {
                tracing::error!(game.id = %id, %error, "a stored game cannot be explained");
                Problem::new(
                    ProblemType::UnreadableGame,
                    "The stored history of this game makes no sense from this revision on. \
                     It takes no moves until an operator has looked at it.",
                )
                .with("revision", revision.number())
            }
        }
    }

    /// The store did not do what a request needed. An outage is logged where the store is
    /// measured, once for all of its requests.
    pub(super) fn of_store(error: EventStoreError) -> Problem {
        match error {
            EventStoreError::StreamDeleted { .. } => Problem::new(
                ProblemType::GameDeleted,
                "The game was deleted. Its id is not used again. POST /games starts another.",
            ),
            EventStoreError::Unavailable { .. } => {
                tracing::debug!(%error, "the event store is unavailable");
                Problem::store_unavailable()
            }
            EventStoreError::AccessDenied { .. } => {
                tracing::debug!(%error, "the event store denies access");
                Problem::store_refused()
            }
            // Of an append, which has been answered for above.
            EventStoreError::OutcomeUnknown { .. }
            | EventStoreError::WrongExpectedRevision { .. }
            | EventStoreError::NoEventAtPosition { .. }
            | EventStoreError::PositionBeyondHead { .. }
            | EventStoreError::Refused { .. }
            | EventStoreError::Corrupt { .. } => {
                tracing::error!(%error, "the event store failed");
                Problem::internal_error()
            }
        }
    }

    /// A rule of the game said no.
    fn of_rejection(id: GameId, rejection: Rejection, at: Option<StreamRevision>) -> Problem {
        match rejection {
            Rejection::GameNotStarted => Problem::game_not_found(&id.to_string()),
            Rejection::GameAlreadyStarted { players } => Problem::new(
                ProblemType::GameAlreadyStarted,
                format!("A game with this id was started before. GET /games/{id} shows it."),
            )
            .with("player_one", players.one)
            .with("player_two", players.two)
            .at_revision(at),
            Rejection::GameFinished { result } => Problem::new(
                ProblemType::GameFinished,
                "The game is finished and takes no more moves. POST /games starts another.",
            )
            .with("result", result)
            .at_revision(at),
            Rejection::PlayerNotInGame { player, players } => Problem::new(
                ProblemType::PlayerNotInGame,
                format!(
                    "{} does not play in this game. Its players are {} and {}.",
                    shortened(&player),
                    shortened(&players.one),
                    shortened(&players.two)
                ),
            )
            .with("players", [players.one, players.two])
            .at_revision(at),
            Rejection::NotYourTurn { next_player } => Problem::new(
                ProblemType::NotYourTurn,
                format!(
                    "It is {}'s turn. Wait for that move, then send yours.",
                    shortened(&next_player)
                ),
            )
            .with("next_player", next_player)
            .at_revision(at),
            Rejection::ColumnFull {
                column,
                legal_columns,
            } => {
                let legal: Vec<_> = legal_columns.iter().map(|column| column.as_str()).collect();
                Problem::new(
                    ProblemType::ColumnFull,
                    format!(
                        "Column {column} is full. Choose one of {}.",
                        legal.join(", ")
                    ),
                )
                .with("column", column)
                .with("legal_columns", legal_columns)
                .at_revision(at)
            }
        }
    }

    /// The store does not answer; nothing was done.
    pub(super) fn store_unavailable() -> Problem {
        Problem::new(
            ProblemType::StoreUnavailable,
            "The event store does not answer. Nothing was done; send the request again later.",
        )
        .retry_after("2")
    }

    /// The store answers, but does not let this service in; nothing was done.
    pub(super) fn store_refused() -> Problem {
        Problem::new(
            ProblemType::StoreRefused,
            "The event store denies this service access. Nothing was done. Its operator has to \
             correct the user or its permissions.",
        )
        .retry_after("30")
    }

    /// An append may or may not have happened.
    pub(super) fn outcome_unknown(detail: &str) -> Problem {
        Problem::new(ProblemType::OutcomeUnknown, detail).retry_after("1")
    }

    /// Something that should not happen did. What it was stands in the log, under the
    /// request's id.
    pub(super) fn internal_error() -> Problem {
        Problem::new(
            ProblemType::InternalError,
            "The service could not answer this. Tell its operator the instance below.",
        )
    }

    fn retry_after(self, seconds: &'static str) -> Problem {
        self.with_header(RETRY_AFTER, HeaderValue::from_static(seconds))
    }
}

/// A name for a sentence: requests and stored games may have longer ones.
fn shortened(name: &PlayerName) -> String {
    const LONGEST: usize = 64;
    match name.as_str().char_indices().nth(LONGEST) {
        None => name.to_string(),
        Some((end, _)) => format!("{}…", &name.as_str()[..end]),
    }
}

impl From<PlayersNotDistinct> for Problem {
    fn from(error: PlayersNotDistinct) -> Problem {
        Problem::new(
            ProblemType::PlayersNotDistinct,
            "The two players need different names.",
        )
        .with(
            "errors",
            json!([{"pointer": "#/player_two", "detail": error.to_string()}]),
        )
    }
}
