//! The one map from errors to problems: rejections, the store, the read model, preconditions and
//! idempotency keys, each with what makes it safe to send the request again.

use crate::http::problem::ProblemType;
use crate::http::request::idempotency_key::NAME;
use crate::http::response::event_view::EventView;
use axum::extract::Request;
use axum::http::header::IF_MATCH;
use axum::http::{HeaderValue, Method, Uri};
use serde_json::{Value, json};

use crate::application::{
    CommandError, CommandOptions, GameId, HistoricEvent, IdempotencyKey, LoadError, Precondition,
    Revisions,
};
use crate::domain::{
    Command, MakeMove, PlayerName, PlayersNotDistinct, Rejection, Resign, StartGame,
};
use crate::event_store::{EventStoreError, GlobalPosition, StreamRevision};
use crate::http::problem::Problem;
use crate::http::request::idempotency_key::IDEMPOTENCY_KEY;
use crate::http::request::position::event_position;
use crate::http::request::preconditions::only_revision;
use crate::http::response::validators::etag_headers;
use crate::read_model::ReadModelError;

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

    /// The game has fewer moves.
    pub(crate) fn move_not_found(number: &str, revision: StreamRevision) -> Problem {
        Problem::new(
            ProblemType::MoveNotFound,
            format!("The game has no move {number} yet. Moves are counted from 1."),
        )
        .with("current_revision", revision.number())
        .at_current(revision)
    }

    /// The game has not come so far.
    pub(crate) fn revision_not_found(number: u64, current: StreamRevision) -> Problem {
        Problem::new(
            ProblemType::RevisionNotFound,
            format!("The game is at revision {current}; it may come to {number} yet."),
        )
        .with("current_revision", current.number())
        .at_current(current)
    }

    /// Nobody of this name plays, as far as the lists have come.
    pub(crate) fn player_not_found(name: &str, position: Option<GlobalPosition>) -> Problem {
        Problem::new(
            ProblemType::PlayerNotFound,
            "No player of this name takes part in a game, as far as the lists have come.",
        )
        .with("player", name)
        .with_headers(event_position(position))
    }

    /// The lists are here, and not yet where they should be; `None` is the end of what there
    /// was when the service started.
    pub(crate) fn read_model_behind(
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
    pub(crate) fn of_read_model(error: &ReadModelError) -> Problem {
        tracing::error!(%error, "the read model failed");
        Problem::new(
            ProblemType::ReadModelUnavailable,
            "The lists cannot be read now. Games can be played meanwhile.",
        )
        .retry_after("2")
    }

    /// Says where the game stands as the entity tag.
    pub(crate) fn at_current(self, revision: StreamRevision) -> Problem {
        self.with_headers(etag_headers(revision))
    }

    /// A command on this game was not carried out, on these terms.
    pub(crate) fn of_command(id: GameId, error: CommandError, terms: &CommandOptions) -> Problem {
        match error {
            CommandError::Rejected {
                rejection,
                revision,
            } => Problem::of_rejection(id, rejection, revision),
            CommandError::PreconditionFailed { current, missed } => {
                revision_mismatch(&terms.precondition, current, &missed)
            }
            CommandError::PreconditionRequired { current } => precondition_required(current),
            CommandError::KeyReused { original } => key_reused(&original),
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
    pub(crate) fn of_store(error: EventStoreError) -> Problem {
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

    /// The store answers, but does not let this service in; nothing was done.
    pub(crate) fn store_refused() -> Problem {
        Problem::new(
            ProblemType::StoreRefused,
            "The event store denies this service access. Nothing was done. Its operator has to \
             correct the user or its permissions.",
        )
        .retry_after("30")
    }

    /// An append may or may not have happened.
    pub(crate) fn outcome_unknown(detail: &str) -> Problem {
        Problem::new(ProblemType::OutcomeUnknown, detail).retry_after("1")
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

/// How many events an answer tells to a client that missed some. A game has 44.
const MOST_MISSED: usize = 50;

/// The game is not where the client expects it. What the client missed comes along, so that it
/// need not ask.
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
        "weak tags, W/\"…\", never match in If-Match. Send the ETag as it was given."
    } else {
        "which the request rules out. Nothing was done. missed_events tell what happened in \
         between; go by them and by the ETag of this answer."
    };
    let missed: Vec<_> = missed.iter().take(MOST_MISSED).map(EventView::of).collect();
    let problem = Problem::new(ProblemType::RevisionMismatch, format!("{stands}, {advice}"))
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

/// This service takes moves and resignations only from clients that say which revision they decided on.
pub(crate) fn precondition_required(current: Option<StreamRevision>) -> Problem {
    let current = current.unwrap_or(StreamRevision::FIRST);
    Problem::new(
        ProblemType::PreconditionRequired,
        format!(
            "Say which revision of the game this is for, in If-Match. \
             If it is the current one, send If-Match: \"{current}\""
        ),
    )
    .with("current_revision", current.number())
    .at_current(current)
}

/// The key belongs to another request.
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
            "This {NAME} was sent with another request, whose body is the original below. \
             Nothing was done now. Send a new key with what is a new request."
        ),
    )
    .with("original", original)
}

/// It is not known whether a command was carried out that was decided on this revision: what
/// makes it safe to send the request again.
pub(crate) fn outcome_unknown(
    id: GameId,
    key: Option<&IdempotencyKey>,
    decided_on: Option<StreamRevision>,
) -> Problem {
    match (key, decided_on) {
        (Some(key), _) => unknown(json!({NAME: key.as_str()})),
        (None, Some(revision)) => unknown(json!({"If-Match": format!("\"{revision}\"")})),
        // A start names its game, so that sending it again to that name changes nothing.
        (None, None) => unknown(json!({"method": "PUT", "url": format!("/games/{id}")})),
    }
}

/// What makes it safe to send a request again, as far as the request itself tells: kept for when
/// its handler does not come back.
#[derive(Debug)]
pub(crate) struct RetryHint {
    key: Option<HeaderValue>,
    if_match: Option<HeaderValue>,
    put: Option<Uri>,
}

impl RetryHint {
    pub(crate) fn of(request: &Request) -> RetryHint {
        let headers = request.headers();
        RetryHint {
            key: headers.get(IDEMPOTENCY_KEY).cloned(),
            if_match: headers.get(IF_MATCH).cloned(),
            put: (request.method() == Method::PUT).then(|| request.uri().clone()),
        }
    }

    /// It is not known how far the handler came.
    pub(crate) fn outcome_unknown(&self) -> Problem {
        if let Some(url) = &self.put {
            return unknown(json!({"method": "PUT", "url": url.path()}));
        }
        if let Some(Ok(key)) = self.key.as_ref().map(HeaderValue::to_str) {
            return unknown(json!({NAME: key}));
        }
        // Of a list it is not known which revision the move was decided on.
        if let Some(revision) = self.if_match.as_ref().and_then(only_revision) {
            return unknown(json!({"If-Match": format!("\"{revision}\"")}));
        }
        Problem::outcome_unknown(
            "The service does not know whether this was carried out. Read the game before you \
             send the request again.",
        )
        .with("retry_with", Value::Null)
    }
}

fn unknown(retry_with: Value) -> Problem {
    Problem::outcome_unknown(
        "The service does not know whether this was carried out. Send the same body again with \
         retry_with: it is carried out once, however often it is sent.",
    )
    .with("retry_with", retry_with)
}
