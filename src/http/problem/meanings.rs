//! What each kind of refusal means and what to do next, for whoever looks its type up.

use super::kind::ProblemType;

impl ProblemType {
    /// What is the matter, when an answer has this type.
    pub(crate) fn meaning(self) -> &'static str {
        self.texts().0
    }

    /// What to do now.
    pub(crate) fn next(self) -> &'static str {
        self.texts().1
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::GameNotFound => (
                "No game has this id. An id that is no UUID names no game either.",
                "Check the id, or start a game with POST /games.",
            ),
            Self::MoveNotFound => (
                "The game has fewer moves than that. Moves are counted from 1.",
                "List the moves with GET /games/{id}/moves. The move may still come.",
            ),
            Self::RevisionNotFound => (
                "The game has not come to that revision. Revisions are counted from 0.",
                "Look at the game as it is with GET /games/{id}. The revision may still come.",
            ),
            Self::PlayerNotFound => (
                "Nobody with this name takes part in any game. Names are compared letter by \
                 letter. A game that was started just now may not be in the lists yet.",
                "Check the name, or send the Event-Position of the answer that started the game, \
                 and Prefer: wait=5.",
            ),
            Self::GameDeleted => (
                "An operator deleted the events of the game, or the first of them. The id is not used \
                 again.",
                "Start another game with POST /games.",
            ),
            Self::GameAlreadyStarted => (
                "A game with this id exists, between other players.",
                "Look at it with GET /games/{id}, or start yours under another id.",
            ),
            Self::GameFinished => (
                "Somebody won or gave up, or the board is full. No more discs are taken.",
                "Start another game with POST /games.",
            ),
            Self::PlayerNotInGame => (
                "The request names a player who is not one of the game's two. Names are compared \
                 letter by letter.",
                "Send it in the name of one of players.",
            ),
            Self::NotYourTurn => (
                "The players move in turns, and the other one's move is due. It may also be \
                 that your move was recorded already and its answer got lost.",
                "Wait for the move of next_player: GET /games/{id} with If-None-Match and \
                 Prefer: wait=30 answers when it is made. Then decide anew.",
            ),
            Self::ColumnFull => (
                "Six discs lie in the column already.",
                "Choose one of legal_columns.",
            ),
            Self::RevisionMismatch => (
                "The game is not at a revision that If-Match names: somebody moved. Nothing was \
                 done.",
                "Take in missed_events, then decide anew and send the current entity tag.",
            ),
            Self::PreconditionRequired => (
                "This service takes moves and resignations only for a stated revision.",
                "Look at the game, then send its ETag as If-Match with the request.",
            ),
            Self::MalformedJson => (
                "The body could not be read as JSON; the detail says where.",
                "Mend the body. The same bytes will be refused again.",
            ),
            Self::InvalidQuery => (
                "A query parameter is unknown here, given twice or out of range.",
                "Mend or leave out the parameter that is named.",
            ),
            Self::InvalidIdempotencyKey => (
                "The Idempotency-Key is not one text of 16 to 255 visible ASCII characters.",
                "Send a new UUID as the key, and the same one again with each retry.",
            ),
            Self::InvalidPrecondition => (
                "If-Match or If-None-Match could not be read. Entity tags stand in double \
                 quotes. A condition is never passed over, since the client relies on it.",
                "Send the field as the detail shows it, with the ETag of an earlier answer.",
            ),
            Self::InvalidLastEventId => (
                "Last-Event-ID is not the id of an event of this stream. Ids are revisions in the \
                 stream of a game, and positions in that of all games. A position has to be one \
                 at which an event was recorded.",
                "Send the id of the last event that you got, or leave the field out to begin \
                 with the first.",
            ),
            Self::InvalidEventPosition => (
                "Event-Position is not what an answer of this service had in that field.",
                "Send the field as it was, or leave it out to get the list as it is.",
            ),
            Self::InvalidRequest => (
                "The body is JSON, but a member is missing, unknown or of the wrong kind. \
                 A column is a letter from A to G; a name has 1 to 64 characters, is not \
                 blank and has no control characters.",
                "Mend each of errors; their pointers lead to the members.",
            ),
            Self::IdempotencyKeyReused => (
                "The key came before, with another request. What it led to then is in original.",
                "Use a new key for each thing that you ask for, and the old one for retries only.",
            ),
            Self::PlayersNotDistinct => (
                "Both players were given the same name.",
                "Give the players different names.",
            ),
            Self::UnsupportedMediaType => (
                "The body is not said to be JSON. Nothing else is taken.",
                "Send Content-Type: application/json.",
            ),
            Self::PayloadTooLarge => (
                "The body has more bytes than limit.",
                "Send less. No valid request comes near the limit.",
            ),
            Self::NotAcceptable => (
                "Accept names no media type that this can be had as.",
                "Ask for one of accepted, or leave Accept out.",
            ),
            Self::NotFound => (
                "Nothing is at this path.",
                "GET / lists where everything is.",
            ),
            Self::MethodNotAllowed => (
                "Something is at this path, but it does not take this method.",
                "Use one of the methods in the Allow field.",
            ),
            Self::Contention => (
                "Other moves of the game kept being recorded between the decision on this one \
                 and its recording. Nothing was done.",
                "Send the request again after the seconds in Retry-After.",
            ),
            Self::StoreUnavailable => (
                "The event store does not answer. Nothing was done.",
                "Send the request again after the seconds in Retry-After.",
            ),
            Self::StoreRefused => (
                "The event store answers, but the user of this service could not be authenticated \
                 or lacks a permission. Nothing was done.",
                "Tell the operator of the service; its log says which user was refused what. The \
                 request can be sent again then.",
            ),
            Self::ReadModelBehind => (
                "The lists do not yet include the event that was asked for, or the events that were \
                 stored before the service started. They are at event_position.",
                "Send the request again after the seconds in Retry-After, or with Prefer: wait=5. \
                 Once the lists have caught up, they are answered as they are without \
                 Event-Position.",
            ),
            Self::ReadModelUnavailable => (
                "What lists are made from could not be read. Games are not concerned.",
                "Send the request again after the seconds in Retry-After.",
            ),
            Self::OutcomeUnknown => (
                "The event store was asked to record this and did not say whether it did.",
                "Send the same request again, with the same Idempotency-Key or If-Match: it is \
                 not done twice. Without either, look at the game first.",
            ),
            Self::UnreadableGame => (
                "From revision on, the stored events are not a valid game.",
                "Tell the operator of the service. The revisions before that one can be read, and \
                 so can all events, at /games/{id}/events.",
            ),
            Self::InternalError => (
                "Something happened that should not. What it was is in the service's log, \
                 under the instance of the problem.",
                "Tell the operator of the service the instance.",
            ),
        }
    }
}
