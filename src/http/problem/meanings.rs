//! The text of the `/problems/{slug}` pages: what each problem type means and what to do next.

use super::kind::ProblemType;

impl ProblemType {
    /// What a problem of this type means.
    pub(crate) fn meaning(self) -> &'static str {
        self.texts().0
    }

    /// What the client should do next.
    pub(crate) fn next(self) -> &'static str {
        self.texts().1
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::GameNotFound => (
                "No game has this id. An id that is not a UUID is never the id of a game.",
                "Check the id, or start a game with POST /games.",
            ),
            Self::MoveNotFound => (
                "The game has fewer moves than the requested number. Moves are counted from 1.",
                "List the moves with GET /games/{id}/moves. The move may be made later.",
            ),
            Self::RevisionNotFound => (
                "The game has not reached that revision. Revisions are counted from 0.",
                "Get the current game with GET /games/{id}. It may reach the revision later.",
            ),
            Self::PlayerNotFound => (
                "No player with this name is in any game. Names are compared exactly, including \
                 upper and lower case. A game that was just started may not be in the lists yet.",
                "Check the name. If the game was just started, send the Event-Position of the response \
                 that started it, with Prefer: wait=5.",
            ),
            Self::GameDeleted => (
                "An operator deleted all events of the game, or the first of them. The id cannot be \
                 used again.",
                "Start another game with POST /games.",
            ),
            Self::GameAlreadyStarted => (
                "A game with this id exists already, with other players.",
                "Get it with GET /games/{id}, or start your game under another id.",
            ),
            Self::GameFinished => (
                "A player won or resigned, or the board is full. The game accepts no more moves.",
                "Start another game with POST /games.",
            ),
            Self::PlayerNotInGame => (
                "The request names a player who is not one of the game's two players. Names are \
                 compared exactly, including upper and lower case.",
                "Send the request with one of the names in players.",
            ),
            Self::NotYourTurn => (
                "The players take turns, and it is the other player's turn. It is also possible \
                 that your move was recorded and the response was lost.",
                "Wait for the move of next_player: GET /games/{id} with If-None-Match and \
                 Prefer: wait=30 responds when it is made. Then choose your next move.",
            ),
            Self::ColumnFull => (
                "The column already has six discs.",
                "Choose one of the columns in legal_columns.",
            ),
            Self::RevisionMismatch => (
                "The game is at a revision that If-Match or If-None-Match excludes, usually because \
                 another move was made. Nothing was done.",
                "Read missed_events, decide again, and send the current entity tag.",
            ),
            Self::PreconditionFailed => (
                "If-Match of a read does not name the current entity tag of the resource, or a precondition \
                 of POST /games excludes the list of games. Nothing was done.",
                "Send the request without the precondition. A changed resource has its current entity \
                 tag in the ETag field of this response.",
            ),
            Self::PreconditionRequired => (
                "This service accepts moves and resignations only with an If-Match field.",
                "Get the game, then send its ETag as If-Match with the request.",
            ),
            Self::MalformedRequest => (
                "The request breaks a rule of HTTP. For example, its body ended before it was complete, \
                 or it does not have exactly one Host field.",
                "Correct the request as the detail says. HTTP libraries normally do this for you.",
            ),
            Self::TokenRequired => (
                "The game is protected: only the holder of a player's token moves or resigns for that player. The \
                 request has no token.",
                "Send Authorization: Bearer with the token that the response to the start of the game contained.",
            ),
            Self::InvalidToken => (
                "The game is protected, and the token in Authorization belongs to neither of its players.",
                "Check the token. It was shown once, in the response to the start of the game.",
            ),
            Self::NotYourSeat => (
                "The token in Authorization is valid, but it belongs to the other player of the game.",
                "Send the request with the token of the player that it names.",
            ),
            Self::MalformedJson => (
                "The request body is not valid JSON. The detail says where the error is.",
                "Correct the body. The same bytes will be refused again.",
            ),
            Self::InvalidQuery => (
                "A query parameter is unknown, given twice, out of range or not UTF-8.",
                "Correct or remove the query parameter that the parameter member names.",
            ),
            Self::InvalidIdempotencyKey => (
                "The request does not have exactly one Idempotency-Key of 16 to 255 visible ASCII characters.",
                "Send a new UUID as the key, and send the same key with each retry.",
            ),
            Self::InvalidPrecondition => (
                "If-Match or If-None-Match could not be parsed. Entity tags are written in double \
                 quotes. The service never ignores a precondition, because the client relies on it.",
                "Send the field as the detail shows it, with the ETag of an earlier response.",
            ),
            Self::InvalidLastEventId => (
                "Last-Event-ID is not the id of an event of this stream. In the stream of one game, \
                 ids are revisions. In the stream of all games, ids are positions, and the position \
                 must be that of a recorded event.",
                "Send the id of the last event that you received, or leave the field out to begin \
                 with the first event.",
            ),
            Self::InvalidEventPosition => (
                "Event-Position is not a value that a response of this service had in that field.",
                "Send the value unchanged, or leave the field out to get the current list.",
            ),
            Self::InvalidRequest => (
                "The body is JSON, but a member is missing, unknown or has an invalid value. \
                 A column is a letter from A to G; a name has 1 to 64 characters, is not \
                 blank, and has no control characters and no invisible characters.",
                "Fix every entry in errors. Its pointer says which member is meant. There are at most ten entries; \
                 more_errors says how many more errors there are.",
            ),
            Self::IdempotencyKeyReused => (
                "The key was used before, for another request. The body of that request is in original.",
                "Use a new key for each new request, and the same key only for retries of that request.",
            ),
            Self::PlayersNotDistinct => (
                "Both players have the same name.",
                "Give the players different names.",
            ),
            Self::UnsupportedMediaType => (
                "The Content-Type of the request is not JSON, or the body has a Content-Encoding. The service \
                 accepts only JSON without compression.",
                "Send Content-Type: application/json, and no Content-Encoding.",
            ),
            Self::PayloadTooLarge => (
                "The request body has more bytes than limit allows.",
                "Send a smaller body. Valid requests are far below the limit.",
            ),
            Self::RequestTimeout => (
                "The body of the request was not complete in time. Nothing was done. The service closes \
                 the connection.",
                "Send the request again, with its whole body.",
            ),
            Self::NotAcceptable => (
                "The resource is not available in any media type that Accept names.",
                "Send one of the media types in accepted, or leave Accept out.",
            ),
            Self::NotFound => (
                "There is no resource at this path.",
                "GET / lists the paths of this service.",
            ),
            Self::MethodNotAllowed => (
                "The resource at this path does not support this method.",
                "Use one of the methods in the Allow field.",
            ),
            Self::TooManyConnections => (
                "The service has as many connections as it can serve. Nothing was done. The service \
                 closes the connection.",
                "Send the request again after the number of seconds in Retry-After, or use a connection \
                 that is already open.",
            ),
            Self::Contention => (
                "Every time this move was checked, another event of the game was recorded before \
                 it. The service gave up after several attempts. Nothing was done.",
                "Send the request again after the number of seconds in Retry-After.",
            ),
            Self::StoreUnavailable => (
                "The event store does not respond. Nothing was done.",
                "Send the request again after the number of seconds in Retry-After.",
            ),
            Self::StoreRefused => (
                "The event store responds, but it could not authenticate the user of this service, or \
                 the user lacks a permission. Nothing was done.",
                "Tell the operator of the service. The log says which user was denied what. Send the \
                 request again when this is corrected.",
            ),
            Self::ReadModelBehind => (
                "The lists do not yet include the event at the requested position, or the events \
                 that were stored before the service started. The lists are at event_position.",
                "Send the request again after the number of seconds in Retry-After, or with \
                 Prefer: wait=5. Once the lists have caught up, a request without Event-Position \
                 gets the current list.",
            ),
            Self::ReadModelUnavailable => (
                "The read model, from which lists are made, could not be read. Games are not affected.",
                "Send the request again after the number of seconds in Retry-After.",
            ),
            Self::OutcomeUnknown => (
                "The event store was asked to record the events, and did not confirm that it did.",
                "Send the same body again as retry_with says. The request is then carried out only \
                 once. If retry_with is null, get the game first.",
            ),
            Self::UnreadableGame => (
                "From revision on, the stored events are not a valid game.",
                "Tell the operator of the service. Earlier revisions of the game can still be read, \
                 and all of its events at /games/{id}/events.",
            ),
            Self::InternalError => (
                "The service failed in an unexpected way. The service's log has the cause, under the \
                 request id in instance.",
                "Report the instance to the operator of the service.",
            ),
        }
    }
}
