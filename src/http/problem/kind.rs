//! Every problem type, with its slug, its status and its title.

use axum::http::StatusCode;

/// Declares the enum and `ALL` from one list, so that `ALL` is complete.
macro_rules! problem_types {
    ($($variant:ident,)*) => {
        /// A problem type (RFC 9457, 3.1.1). Clients match its slug, which never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ProblemType {
            $($variant,)*
        }

        impl ProblemType {
            /// Every problem type.
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
    PreconditionFailed,
    PreconditionRequired,
    MalformedRequest,
    TokenRequired,
    InvalidToken,
    NotYourSeat,
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
    RequestTimeout,
    NotAcceptable,
    NotFound,
    MethodNotAllowed,
    TooManyConnections,
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

    /// The HTTP status of every problem of this type.
    pub(crate) fn status(self) -> StatusCode {
        self.row().1
    }

    /// A short summary, the same for every problem of this type.
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
                "The game has not reached this revision",
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
                "The player is not in this game",
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
            Self::PreconditionFailed => (
                "precondition-failed",
                S::PRECONDITION_FAILED,
                "A precondition of the request is false",
            ),
            Self::PreconditionRequired => (
                "precondition-required",
                S::PRECONDITION_REQUIRED,
                "If-Match is required",
            ),
            Self::MalformedRequest => (
                "malformed-request",
                S::BAD_REQUEST,
                "The request is not valid HTTP",
            ),
            Self::TokenRequired => ("token-required", S::UNAUTHORIZED, "The game is protected"),
            Self::InvalidToken => (
                "invalid-token",
                S::UNAUTHORIZED,
                "The token is not one of this game",
            ),
            Self::NotYourSeat => (
                "not-your-seat",
                S::FORBIDDEN,
                "The token belongs to the other player",
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
                "If-Match or If-None-Match is not valid",
            ),
            Self::InvalidLastEventId => (
                "invalid-last-event-id",
                S::BAD_REQUEST,
                "Last-Event-ID is not valid",
            ),
            Self::InvalidEventPosition => (
                "invalid-event-position",
                S::BAD_REQUEST,
                "Event-Position is not valid",
            ),
            Self::InvalidIdempotencyKey => (
                "invalid-idempotency-key",
                S::BAD_REQUEST,
                "Idempotency-Key is not valid",
            ),
            Self::InvalidRequest => (
                "invalid-request",
                S::UNPROCESSABLE_ENTITY,
                "The request body is not valid",
            ),
            Self::PlayersNotDistinct => (
                "players-not-distinct",
                S::UNPROCESSABLE_ENTITY,
                "The two players need different names",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                S::UNPROCESSABLE_ENTITY,
                "The idempotency key was used for another request",
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
            Self::RequestTimeout => (
                "request-timeout",
                S::REQUEST_TIMEOUT,
                "The body did not arrive in time",
            ),
            Self::NotAcceptable => (
                "not-acceptable",
                S::NOT_ACCEPTABLE,
                "None of the accepted media types is available",
            ),
            Self::NotFound => ("not-found", S::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                S::METHOD_NOT_ALLOWED,
                "Method not allowed",
            ),
            Self::TooManyConnections => (
                "too-many-connections",
                S::SERVICE_UNAVAILABLE,
                "Too many connections",
            ),
            Self::Contention => (
                "contention",
                S::SERVICE_UNAVAILABLE,
                "Too many concurrent moves",
            ),
            Self::StoreUnavailable => (
                "store-unavailable",
                S::SERVICE_UNAVAILABLE,
                "The event store does not respond",
            ),
            Self::StoreRefused => (
                "store-refused",
                S::SERVICE_UNAVAILABLE,
                "The event store denies access",
            ),
            Self::ReadModelBehind => (
                "read-model-behind",
                S::SERVICE_UNAVAILABLE,
                "The lists are not up to date yet",
            ),
            Self::ReadModelUnavailable => (
                "read-model-unavailable",
                S::SERVICE_UNAVAILABLE,
                "The lists cannot be read",
            ),
            Self::OutcomeUnknown => (
                "outcome-unknown",
                S::GATEWAY_TIMEOUT,
                "It is not known whether the request was carried out",
            ),
            Self::UnreadableGame => (
                "unreadable-game",
                S::INTERNAL_SERVER_ERROR,
                "The stored events are not a valid game",
            ),
            Self::InternalError => (
                "internal-error",
                S::INTERNAL_SERVER_ERROR,
                "Internal server error",
            ),
        }
    }
}
