//! `Idempotency-Key`: a repeated request is carried out once and gets the first response each time. The
//! deduplication itself is in `application::deduplication`.

use crate::http::problem::ProblemType;
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::bearer_token::bearer_token;
use super::preconditions::precondition;
use super::request_id::X_REQUEST_ID;
use super::trace_context::{TRACEPARENT, event_metadata};
use crate::application::{Authority, CommandOptions, IdempotencyKey};
use crate::http::problem::Problem;

pub(crate) const NAME: &str = "Idempotency-Key";
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Marks the response to a repeated request.
pub(crate) const REPLAYED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("idempotent-replayed"),
    HeaderValue::from_static("true"),
);

/// The command options in a request's header fields: key, preconditions and metadata. Handlers take it as a
/// `Result`, because errors in the body's length and type are reported first.
#[derive(Debug)]
pub(crate) struct RequestOptions(pub(crate) CommandOptions);

impl<S: Send + Sync> FromRequestParts<S> for RequestOptions {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        if !has_options(&head.headers) {
            return Ok(RequestOptions(CommandOptions::default()));
        }
        Ok(RequestOptions(CommandOptions {
            metadata: event_metadata(head),
            key: key(&head.headers)?,
            precondition: precondition(&head.headers)?,
            token: bearer_token(&head.headers),
            authority: Authority::Token,
            seats: None,
        }))
    }
}

/// Whether the request has one of the fields that [`RequestOptions`] are read from. Most requests have none, and a
/// pass over the few fields that they have costs less than to look for each of these.
pub(crate) fn has_options(headers: &HeaderMap) -> bool {
    static OPTIONS: [HeaderName; 6] = [
        IDEMPOTENCY_KEY,
        IF_MATCH,
        IF_NONE_MATCH,
        AUTHORIZATION,
        TRACEPARENT,
        X_REQUEST_ID,
    ];
    headers.keys().any(|name| OPTIONS.contains(name))
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut fields = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    if fields.next().is_some() {
        return Err(invalid_key("the field is sent more than once"));
    }
    let parsed = match field.as_bytes() {
        [b'"', ..] => unquote(field.as_bytes())?.parse(),
        _ => field.to_str().unwrap_or("\u{fffd}").parse(),
    };
    parsed.map(Some).map_err(invalid_key)
}

/// The string in a structured field (RFC 9651, 3.3.3). Its parameters have no meaning here and are ignored.
fn unquote(field: &[u8]) -> Result<String, Problem> {
    let item = sfv::Parser::new(field).parse::<sfv::Item>();
    match item.map(|item| item.bare_item) {
        Ok(sfv::BareItem::String(text)) => Ok(text.as_str().to_owned()),
        Ok(_) | Err(_) => Err(invalid_key(
            "it is not a string in double quotes (RFC 9651)",
        )),
    }
}

pub(crate) fn invalid_key(reason: impl std::fmt::Display) -> Problem {
    let example = uuid::Uuid::new_v4();
    Problem::new(
        ProblemType::InvalidIdempotencyKey,
        format!("The {NAME} is not valid: {reason}. Send a new UUID, such as {NAME}: {example}"),
    )
    .with("header", NAME)
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
        let with_parameter = format!("\"{key}\";v=1");
        assert_eq!(read(&[&with_parameter]).as_deref(), Some(key));
        let escaped = r#""a\"quoted\\key----""#;
        assert_eq!(read(&[escaped]).as_deref(), Some(r#"a"quoted\key----"#));
    }

    #[test]
    fn an_invalid_key_is_refused() {
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
            &["\"0f3cd2a1-94f5-4e4c\" x"],
            &["\"0f3cd2a1-94f5-4e4c\", \"0f3cd2a1-94f5-4e4c\""],
            &["0f3cd2a1 94f5-4e4c"],
            &["schlüssel-schlüssel"],
            &[key, key],
        ] {
            assert_eq!(read(fields), None, "{fields:?}");
        }
        assert_eq!(read(&[]), None);
    }
}
