//! Content negotiation by `Accept` (RFC 9110, 12.5.1). No other field selects the media type.

use crate::http::problem::ProblemType;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use headers_accept::Accept;
use mediatype::names::{APPLICATION, CHARSET, HTML, JSON, PLAIN, TEXT};
use mediatype::values::UTF_8;
use mediatype::{MediaType, Value};

use super::query::Query;
use crate::drawing::Palette;
use crate::http::problem::Problem;

pub(crate) const APPLICATION_JSON: MediaType<'static> = MediaType::new(APPLICATION, JSON);
const TEXT_HTML: MediaType<'static> = MediaType::new(TEXT, HTML);
const TEXT_PLAIN: MediaType<'static> = MediaType::new(TEXT, PLAIN);

/// The client accepts JSON. A request without `Accept` accepts anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AcceptsJson;

impl<S: Send + Sync> FromRequestParts<S> for AcceptsJson {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        negotiate(&head.headers, [(APPLICATION_JSON, AcceptsJson)])
    }
}

/// The representations of a game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GameForm {
    Json,
    /// The board, drawn.
    Text(Palette),
}

impl<S: Send + Sync> FromRequestParts<S> for GameForm {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let text = GameForm::Text(Palette::Plain);
        negotiate(
            &head.headers,
            [(APPLICATION_JSON, GameForm::Json), (TEXT_PLAIN, text)],
        )
    }
}

impl GameForm {
    /// The same form, with the colours that the query asks for. JSON ignores them.
    pub(crate) fn coloured(self, query: &mut Query) -> Result<GameForm, Problem> {
        match (self, query.word("color", &["always", "never"])?) {
            (GameForm::Text(_), Some("always")) => Ok(GameForm::Text(Palette::Ansi)),
            (form, _) => Ok(form),
        }
    }
}

/// The representations of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageForm {
    Json,
    Html,
}

impl<S: Send + Sync> FromRequestParts<S> for PageForm {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        negotiate(
            &head.headers,
            [
                (APPLICATION_JSON, PageForm::Json),
                (TEXT_HTML, PageForm::Html),
            ],
        )
    }
}

/// The offered form that the client prefers, or the first one if it accepts anything. A field that cannot be
/// parsed counts as absent (RFC 9110, 5.5 leaves that to the recipient).
pub(crate) fn negotiate<Form: Copy, const N: usize>(
    headers: &HeaderMap,
    offered: [(MediaType<'static>, Form); N],
) -> Result<Form, Problem> {
    let fields: Vec<_> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .collect();
    let accept = match fields[..] {
        // What most clients send; no field means the same.
        [] | ["*/*"] => None,
        _ => Accept::from_str(&fields.join(", ")).ok(),
    };
    let Some(accept) = accept else {
        let first = offered.first().map(|(_, form)| *form);
        return first.ok_or_else(Problem::internal_error);
    };
    // All text is UTF-8, so `charset=utf-8` in `Accept` matches too.
    let charsets = [None, Some(UTF_8), Value::new("utf-8")]
        .map(|charset| charset.map(|charset| (CHARSET, charset)));
    let with_charsets = |plain: &MediaType<'static>| {
        charsets.each_ref().map(|charset| {
            MediaType::from_parts(plain.ty, plain.subty, plain.suffix, charset.as_slice())
        })
    };
    let media_types: Vec<_> = offered
        .iter()
        .flat_map(|(plain, _)| with_charsets(plain))
        .collect();
    accept
        .negotiate(&media_types)
        .and_then(|best| {
            let of_this_type = |(plain, _): &&(MediaType<'_>, Form)| *plain == best.essence();
            Some(offered.iter().find(of_this_type)?.1)
        })
        .ok_or_else(|| not_acceptable(offered.map(|(plain, _)| plain.to_string())))
}

fn not_acceptable<const N: usize>(offered: [String; N]) -> Problem {
    Problem::new(
        ProblemType::NotAcceptable,
        format!(
            "The resource is available as {}. Send one of these in Accept.",
            offered.join(" or ")
        ),
    )
    .with("accepted", offered.to_vec())
}
