//! Every kind of refusal, with its slug, its status and its title.

use axum::http::StatusCode;

/// Declares the types, so that none is missing from the list of all.
macro_rules! problem_types {
    ($($variant:ident,)*) => {
        /// A problem type (RFC 9457, 3.1.1). Clients match its slug, which never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ProblemType {
            $($variant,)*
        }

        impl ProblemType {
            /// Every problem type there is.
            pub(crate) const ALL: &[ProblemType] = &[$(ProblemType::$variant,)*];
        }
    };
}

problem_types! {
    GameNotFound,
    RevisionNotFound,
    MoveNotFound,
    PlayerNotFound,
    GameDeleted,
    GameAlreadyStarted,
    GameFinished,
    PlayerNotInGame,
    NotYourTurn,
    ColumnFull,
    RevisionMismatch,
    PreconditionRequired,
    MalformedJson,
    InvalidQuery,
    InvalidPrecondition,
    InvalidLastEventId,
    InvalidEventPosition,
    InvalidIdempotencyKey,
    InvalidRequest,
    PlayersNotDistinct,
    IdempotencyKeyReused,
    UnsupportedMediaType,
    PayloadTooLarge,
    NotAcceptable,
    NotFound,
    MethodNotAllowed,
    Contention,
    StoreUnavailable,
    StoreRefused,
    ReadModelBehind,
    ReadModelUnavailable,
    OutcomeUnknown,
    UnreadableGame,
    InternalError,
}

impl ProblemType {
    /// The last segment of the type's URI, `/problems/{slug}`.
    pub(crate) fn slug(self) -> &'static str {
        self.row().0
    }

    /// The status that goes with it.
    pub(crate) fn status(self) -> StatusCode {
        self.row().1
    }

    /// What it is, in a few words that are the same each time.
    pub(crate) fn title(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::GameNotFound => ("game-not-found", S::NOT_FOUND, "No such game"),
            Self::RevisionNotFound => (
                "revision-not-found",
                S::NOT_FOUND,
                "The game has not come to this revision",
            ),
            Self::MoveNotFound => ("move-not-found", S::NOT_FOUND, "No such move"),
            Self::PlayerNotFound => ("player-not-found", S::NOT_FOUND, "No such player"),
            Self::GameDeleted => ("game-deleted", S::GONE, "The game was deleted"),
            Self::GameAlreadyStarted => (
                "game-already-started",
                S::CONFLICT,
                "The game was already started",
            ),
            Self::GameFinished => ("game-finished", S::CONFLICT, "The game is finished"),
            Self::PlayerNotInGame => (
                "player-not-in-game",
                S::CONFLICT,
                "Only the two players of a game move in it",
            ),
            Self::NotYourTurn => (
                "not-your-turn",
                S::CONFLICT,
                "It is the other player's turn",
            ),
            Self::ColumnFull => ("column-full", S::CONFLICT, "The column is full"),
            Self::RevisionMismatch => (
                "revision-mismatch",
                S::PRECONDITION_FAILED,
                "The game is at another revision",
            ),
            Self::PreconditionRequired => (
                "precondition-required",
                S::PRECONDITION_REQUIRED,
                "The request has to say which revision it is for",
            ),
            Self::MalformedJson => ("malformed-json", S::BAD_REQUEST, "The body is not JSON"),
            Self::InvalidQuery => (
                "invalid-query",
                S::BAD_REQUEST,
                "A query parameter is invalid",
            ),
            Self::InvalidPrecondition => (
                "invalid-precondition",
                S::BAD_REQUEST,
                "A condition of the request cannot be read",
            ),
            Self::InvalidLastEventId => (
                "invalid-last-event-id",
                S::BAD_REQUEST,
                "Last-Event-ID is no event's id",
            ),
            Self::InvalidEventPosition => (
                "invalid-event-position",
                S::BAD_REQUEST,
                "Event-Position is no position",
            ),
            Self::InvalidIdempotencyKey => (
                "invalid-idempotency-key",
                S::BAD_REQUEST,
                "The idempotency key is none",
            ),
            Self::InvalidRequest => (
                "invalid-request",
                S::UNPROCESSABLE_ENTITY,
                "The body is not what this request takes",
            ),
            Self::PlayersNotDistinct => (
                "players-not-distinct",
                S::UNPROCESSABLE_ENTITY,
                "The two players need different names",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                S::UNPROCESSABLE_ENTITY,
                "The idempotency key belongs to another request",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                S::UNSUPPORTED_MEDIA_TYPE,
                "The body's media type is not supported",
            ),
            Self::PayloadTooLarge => (
                "payload-too-large",
                S::PAYLOAD_TOO_LARGE,
                "The body is too large",
            ),
            Self::NotAcceptable => (
                "not-acceptable",
                S::NOT_ACCEPTABLE,
                "None of the accepted media types can be had",
            ),
            Self::NotFound => ("not-found", S::NOT_FOUND, "Nothing is here"),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                S::METHOD_NOT_ALLOWED,
                "This resource does not take the method",
            ),
            Self::Contention => (
                "contention",
                S::SERVICE_UNAVAILABLE,
                "Too many moves came at once",
            ),
            Self::StoreUnavailable => (
                "store-unavailable",
                S::SERVICE_UNAVAILABLE,
                "The event store does not answer",
            ),
            Self::StoreRefused => (
                "store-refused",
                S::SERVICE_UNAVAILABLE,
                "The event store denies access",
            ),
            Self::ReadModelBehind => (
                "read-model-behind",
                S::SERVICE_UNAVAILABLE,
                "The lists have not come so far",
            ),
            Self::ReadModelUnavailable => (
                "read-model-unavailable",
                S::SERVICE_UNAVAILABLE,
                "The lists cannot be read",
            ),
            Self::OutcomeUnknown => (
                "outcome-unknown",
                S::GATEWAY_TIMEOUT,
                "It is not known whether this was carried out",
            ),
            Self::UnreadableGame => (
                "unreadable-game",
                S::INTERNAL_SERVER_ERROR,
                "The stored game cannot be explained",
            ),
            Self::InternalError => (
                "internal-error",
                S::INTERNAL_SERVER_ERROR,
                "Something went wrong inside the service",
            ),
        }
    }
}
