//! `Idempotency-Key`: a request that is sent again is carried out once, and answered each time
//! as it was the first time. What a key leads to is in `application::replay`.

use axum::extract::{FromRequestParts, Request};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};

use super::conditional::{only_revision, precondition};
use super::problem::Problem;
use super::problem_type::ProblemType;
use super::trace_context::event_metadata;
use crate::application::{GameId, IdempotencyKey, Terms};
use crate::domain::{Command, MakeMove, Resign, StartGame};
use crate::event_store::StreamRevision;

const NAME: &str = "Idempotency-Key";
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// On an answer that was given before.
pub(super) const REPLAYED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("idempotent-replayed"),
    HeaderValue::from_static("true"),
);

/// The terms that a request's header fields set: its key and its conditions. Handlers take it
/// as a `Result`, since the body's length and type are judged before.
#[derive(Debug)]
pub(super) struct RequestTerms(pub(super) Terms);

impl<S: Send + Sync> FromRequestParts<S> for RequestTerms {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(RequestTerms(Terms {
            metadata: event_metadata(head),
            key: key(&head.headers)?,
            precondition: precondition(&head.headers)?,
        }))
    }
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut fields = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    if fields.next().is_some() {
        return Err(invalid_key("there is more than one"));
    }
    let text = field.to_str().unwrap_or("\u{fffd}");
    let parsed = if text.starts_with('"') {
        let text = unquote(text).ok_or_else(|| invalid_key("its quotes do not match"))?;
        text.parse()
    } else {
        text.parse()
    };
    parsed.map(Some).map_err(invalid_key)
}

/// What a quoted string says (RFC 9651, 3.3.3).
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut unquoted = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return None,
            '\\' => unquoted.push(letters.next().filter(|next| matches!(next, '"' | '\\'))?),
            other => unquoted.push(other),
        }
    }
    Some(unquoted)
}

fn invalid_key(reason: impl std::fmt::Display) -> Problem {
    let example = uuid::Uuid::new_v4();
    Problem::new(
        ProblemType::InvalidIdempotencyKey,
        format!("The {NAME} is none: {reason}. A new UUID serves well: {NAME}: {example}"),
    )
    .with("header", NAME)
}

/// The key belongs to another request.
pub(super) fn key_reused(original: &Command) -> Problem {
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
pub(super) fn outcome_unknown(
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
pub(super) struct Safeguard {
    key: Option<HeaderValue>,
    if_match: Option<HeaderValue>,
    put: Option<Uri>,
}

impl Safeguard {
    pub(super) fn of(request: &Request) -> Safeguard {
        let headers = request.headers();
        Safeguard {
            key: headers.get(IDEMPOTENCY_KEY).cloned(),
            if_match: headers.get(IF_MATCH).cloned(),
            put: (request.method() == Method::PUT).then(|| request.uri().clone()),
        }
    }

    /// It is not known how far the handler came.
    pub(super) fn outcome_unknown(&self) -> Problem {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[&str]) -> Option<String> {
        let headers = fields.iter().map(|field| {
            let value = HeaderValue::from_bytes(field.as_bytes()).expect("a header value");
            (IDEMPOTENCY_KEY, value)
        });
        let key = key(&headers.collect()).ok()?;
        key.map(|key| key.as_str().to_owned())
    }

    #[test]
    fn a_key_is_the_same_bare_and_quoted() {
        let key = "0f3cd2a1-94f5-4e4c";
        assert_eq!(read(&[key]).as_deref(), Some(key));
        assert_eq!(read(&[&format!("\"{key}\"")]).as_deref(), Some(key));
        let escaped = r#""a\"quoted\\key----""#;
        assert_eq!(read(&[escaped]).as_deref(), Some(r#"a"quoted\key----"#));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let key = "0f3cd2a1-94f5-4e4c";
        for fields in [
            &["too-short"][..],
            &[""],
            &["\""],
            &["\"\""],
            &["\"0f3cd2a1-94f5-4e4c"],
            &["\"0f3cd2a1\"94f5-4e4c\""],
            &["\"0f3cd2a1-94f5-4e4\\c\""],
            &["\"0f3cd2a1-94f5-4e4c\\\""],
            &["\"0f3cd2a1-94f5-4e4c\";v=1"],
            &["0f3cd2a1 94f5-4e4c"],
            &["schlüssel-schlüssel"],
            &[key, key],
        ] {
            assert_eq!(read(fields), None, "{fields:?}");
        }
        assert_eq!(read(&[]), None);
    }
}
