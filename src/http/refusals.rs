//! The single mapping from errors to problems: rejections, the store, the read model, preconditions and
//! idempotency keys.

use crate::http::problem::ProblemType;
use crate::http::request::idempotency_key::NAME;
use crate::http::response::event_view::EventView;
use axum::http::HeaderValue;
use axum::http::header::WWW_AUTHENTICATE;
use serde_json::json;

use crate::application::{
    CommandError, CommandOptions, GameId, HistoricEvent, LoadError, Precondition, Revisions,
};
use crate::domain::{
    Command, MakeMove, PlayerName, PlayersNotDistinct, Rejection, Resign, StartGame,
};
use crate::event_store::{EventStoreError, GlobalPosition, StreamRevision};
use crate::http::problem::Problem;
use crate::http::request::position::event_position;
use crate::http::response::validators::etag_headers;
use crate::http::retry::outcome_unknown;
use crate::read_model::ReadModelError;

/// How a client authenticates (RFC 6750, 3).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"connect-four\"");
const CHALLENGE_AFTER_INVALID_TOKEN: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"connect-four\", error=\"invalid_token\"");

impl Problem {
    /// Says where the game stands, in the body and as the entity tag.
    #[must_use]
    fn at_revision(mut self, revision: Option<StreamRevision>) -> Problem {
        if let Some(revision) = revision {
            self = self
                .with_headers(etag_headers(revision))
                .with("revision", revision.number());
        }
        self
    }

    /// The game has fewer moves than this number.
    pub(crate) fn move_not_found(number: &str, revision: StreamRevision) -> Problem {
        Problem::new(
            ProblemType::MoveNotFound,
            format!("The game has no move {number}. Moves are counted from 1. GET the moves of the game for a list."),
        )
        .with("current_revision", revision.number())
        .at_current(revision)
    }

    /// The game has not reached this revision.
    pub(crate) fn revision_not_found(number: u64, current: StreamRevision) -> Problem {
        Problem::new(
            ProblemType::RevisionNotFound,
            format!(
                "The game is at revision {current} and has not reached {number}. \
                 GET it without revision, or try again later."
            ),
        )
        .with("current_revision", current.number())
        .at_current(current)
    }

    /// The lists, as of this position, have no player of this name.
    pub(crate) fn player_not_found(name: &str, position: Option<GlobalPosition>) -> Problem {
        Problem::new(
            ProblemType::PlayerNotFound,
            "The lists have no player with this name. Check the name. If the game was just started, try again with \
             its Event-Position.",
        )
        .with("player", name)
        .with_headers(event_position(position))
    }

    /// The lists are at `position` and do not include `expected` yet. `expected` is `None` while they do not
    /// include all events that were stored before the service started.
    pub(crate) fn read_model_behind(
        position: Option<GlobalPosition>,
        expected: Option<GlobalPosition>,
    ) -> Problem {
        let detail = match expected {
            Some(_) => {
                "The lists do not include this event yet. Send the request again, or send Prefer: wait=5."
            }
            None => {
                "The lists are not up to date yet. Send the request again later. Games can be played in the meantime."
            }
        };
        let text = |position: Option<GlobalPosition>| position.map(|at| at.to_string());
        Problem::new(ProblemType::ReadModelBehind, detail)
            .with("event_position", text(position))
            .with("expected", text(expected))
            .retry_after("1")
    }

    /// The lists could not be read. A damaged read model is rebuilt, which the projector logs.
    pub(crate) fn of_read_model(error: &ReadModelError) -> Problem {
        match error {
            ReadModelError::Damaged(_) | ReadModelError::Closed => {
                return Problem::read_model_behind(None, None);
            }
            ReadModelError::Sqlite(_) | ReadModelError::Interrupted(_) => {}
        }
        tracing::error!(%error, "the read model failed");
        Problem::new(
            ProblemType::ReadModelUnavailable,
            "The lists cannot be read. Send the request again later. Games can be played in the meantime.",
        )
        .retry_after("2")
    }

    /// A precondition of a request that concerns no revision of a game, or of a read, is false.
    pub(crate) fn precondition_failed(detail: impl Into<String>) -> Problem {
        Problem::new(ProblemType::PreconditionFailed, detail)
    }

    /// Adds the game's current revision as `ETag`.
    pub(crate) fn at_current(self, revision: StreamRevision) -> Problem {
        self.with_headers(etag_headers(revision))
    }

    /// A command on this game failed.
    pub(crate) fn of_command(id: GameId, error: CommandError, options: &CommandOptions) -> Problem {
        match error {
            CommandError::Rejected {
                rejection,
                revision,
            } => Problem::of_rejection(id, rejection, revision),
            CommandError::PreconditionFailed { current, missed } => {
                revision_mismatch(&options.precondition, current, &missed)
            }
            CommandError::PreconditionRequired { current } => precondition_required(current),
            CommandError::TokenRequired => Problem::new(
                ProblemType::TokenRequired,
                "The game is protected. Send the token that was given to the player when the game was started: \
                 Authorization: Bearer <token>",
            )
            .with_header(WWW_AUTHENTICATE, CHALLENGE),
            CommandError::InvalidToken => Problem::new(
                ProblemType::InvalidToken,
                "The token belongs to neither player of this game. Send the token that was given to the player when \
                 the game was started.",
            )
            .with_header(WWW_AUTHENTICATE, CHALLENGE_AFTER_INVALID_TOKEN),
            CommandError::NotYourSeat => Problem::new(
                ProblemType::NotYourSeat,
                "The token belongs to the other player. Send the request with the token of the player that it names.",
            ),
            CommandError::KeyReused { original } => key_reused(&original),
            CommandError::Contention => Problem::new(
                ProblemType::Contention,
                "Other moves of this game were recorded first. Nothing was done. Send the request again.",
            )
            .retry_after("1"),
            CommandError::Load(error) => Problem::of_load(id, error),
            CommandError::Append { decided_on, error } => {
                if let EventStoreError::OutcomeUnknown { .. } = error {
                    tracing::debug!(%error, "the outcome of an append is unknown");
                    let key = options.key.as_ref();
                    return outcome_unknown(id, key, decided_on);
                }
                Problem::of_store(error)
            }
        }
    }

    /// A game could not be loaded.
    pub(crate) fn of_load(id: GameId, error: LoadError) -> Problem {
        match error {
            LoadError::Store(error) => Problem::of_store(error),
            LoadError::Unreadable { revision, .. } => {
                tracing::error!(game.id = %id, %error, "the stored events are not a valid game");
                Problem::new(
                    ProblemType::UnreadableGame,
                    "From revision on, the stored events are not a valid game. The game accepts no moves \
                     until an operator has repaired it. Tell the operator of the service.",
                )
                .with("revision", revision.number())
            }
        }
    }

    /// A call to the store failed. An outage is not logged here for each request, but once by the metrics
    /// wrapper of the store.
    pub(crate) fn of_store(error: EventStoreError) -> Problem {
        match error {
            EventStoreError::StreamDeleted { .. } => Problem::new(
                ProblemType::GameDeleted,
                "The game was deleted, and its id cannot be used again. Start another game with POST /games.",
            ),
            EventStoreError::Unavailable { .. } => {
                tracing::debug!(%error, "the event store is unavailable");
                Problem::store_unavailable()
            }
            EventStoreError::AccessDenied { .. } => {
                tracing::debug!(%error, "the event store denies access");
                Problem::store_refused()
            }
            // `OutcomeUnknown` comes only from an append, and `of_command` handles it.
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

    /// A rule of the game rejected the command.
    fn of_rejection(id: GameId, rejection: Rejection, at: Option<StreamRevision>) -> Problem {
        match rejection {
            Rejection::GameNotStarted => Problem::game_not_found(&id.to_string()),
            Rejection::GameAlreadyStarted { players } => Problem::new(
                ProblemType::GameAlreadyStarted,
                format!("A game with this id was already started. GET /games/{id} shows it."),
            )
            .with("player_one", players.one)
            .with("player_two", players.two)
            .at_revision(at),
            Rejection::GameFinished { result } => Problem::new(
                ProblemType::GameFinished,
                "The game is finished and accepts no more moves. Start another game with POST /games.",
            )
            .with("result", result)
            .at_revision(at),
            Rejection::PlayerNotInGame { player, players } => Problem::new(
                ProblemType::PlayerNotInGame,
                format!(
                    "{} is not a player of this game. Send the name of one of its players: {} or {}.",
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

    /// The store responds, but denies this service access. Nothing was done.
    pub(crate) fn store_refused() -> Problem {
        Problem::new(
            ProblemType::StoreRefused,
            "The event store denies this service access. Nothing was done. The operator has to \
             correct the user or its permissions. Then send the request again.",
        )
        .retry_after("30")
    }
}

/// A name, cut to 64 characters: names in requests and stored games may be longer.
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
            "The two players need different names. Send two different names.",
        )
        .with(
            "errors",
            json!([{"pointer": "#/player_two", "detail": error.to_string()}]),
        )
    }
}

/// The most events in `missed_events`. A game has at most 44.
const MOST_MISSED: usize = 50;

/// The game is at another revision than the client expects. The problem includes the events that the client
/// missed, so that it needs no second request.
pub(crate) fn revision_mismatch(
    precondition: &Precondition,
    current: Option<StreamRevision>,
    missed: &[HistoricEvent],
) -> Problem {
    let only_weak = matches!(&precondition.at, Some(Revisions::Listed(at)) if at.is_empty());
    let stands = match current {
        Some(revision) => format!("The game is at revision {revision}"),
        None => "There is no such game".to_owned(),
    };
    let advice = if only_weak {
        "Nothing was done: weak tags, W/\"…\", never match in If-Match. Send the ETag as it was received."
    } else {
        "If-Match or If-None-Match excludes this. Nothing was done. Read missed_events, decide \
         again, and send the ETag of this response."
    };
    let missed: Vec<_> = missed.iter().take(MOST_MISSED).map(EventView::of).collect();
    let problem = Problem::new(ProblemType::RevisionMismatch, format!("{stands}. {advice}"))
        .with(
            "expected",
            precondition.expected.map(StreamRevision::number),
        )
        .with("current_revision", current.map(StreamRevision::number))
        .with("missed_events", missed);
    match current {
        Some(revision) => problem.at_current(revision),
        None => problem,
    }
}

/// This service requires `If-Match` on moves and resignations.
pub(crate) fn precondition_required(current: Option<StreamRevision>) -> Problem {
    let current = current.unwrap_or(StreamRevision::FIRST);
    Problem::new(
        ProblemType::PreconditionRequired,
        format!(
            "The request needs If-Match with the revision of the game that you decided on. \
             For the current revision, send If-Match: \"{current}\""
        ),
    )
    .with("current_revision", current.number())
    .at_current(current)
}

/// The key was used for another request.
pub(crate) fn key_reused(original: &Command) -> Problem {
    let original = match original {
        Command::StartGame(StartGame { players }) => {
            json!({"player_one": players.one, "player_two": players.two})
        }
        Command::MakeMove(MakeMove { player, column }) => {
            json!({"player": player, "column": column})
        }
        Command::Resign(Resign { player }) => json!({"player": player}),
    };
    Problem::new(
        ProblemType::IdempotencyKeyReused,
        format!(
            "This {NAME} was used for another request, whose body is in original. \
             Nothing was done. Send a new key with a new request."
        ),
    )
    .with("original", original)
}
