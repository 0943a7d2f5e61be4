//! Content negotiation by `Accept` (RFC 9110, 12.5.1). No other field selects the media type.

use crate::http::problem::ProblemType;
use std::cmp::Reverse;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use mediatype::names::{_STAR, APPLICATION, CHARSET, HTML, JSON, PLAIN, TEXT};
use mediatype::{MediaType, Name, ReadParams, Value};

use super::list::elements;
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
    let ranges: Option<Vec<_>> = match headers.contains_key(ACCEPT) {
        true => elements(headers, ACCEPT).map(Range::parse).collect(),
        false => None,
    };
    let ranges = ranges.filter(|ranges| !ranges.is_empty());
    let Some(ranges) = ranges else {
        let first = offered.first().map(|(_, form)| *form);
        return first.ok_or_else(Problem::internal_error);
    };
    let weighed = offered
        .iter()
        .filter_map(|(media_type, form)| Some((preference(&ranges, media_type)?, *form)));
    // Of equal ones, the last is the greatest.
    let preferred = weighed.rev().max_by_key(|(preference, _)| *preference);
    preferred
        .map(|(_, form)| form)
        .ok_or_else(|| not_acceptable(offered.map(|(media_type, _)| media_type.to_string())))
}

/// How much the client prefers a media type: by the weight of the most specific range that includes it. Of equal
/// weights, the more specific range counts, and then the earlier one. `None` if the client does not accept it.
fn preference(
    ranges: &[Range<'_>],
    media_type: &MediaType<'_>,
) -> Option<(u16, Specificity, Reverse<usize>)> {
    let matching = ranges.iter().enumerate();
    let matching = matching.filter_map(|(index, range)| {
        let specificity = range.includes(media_type)?;
        Some((specificity, range.weight, Reverse(index)))
    });
    let (specificity, weight, index) = matching.max()?;
    (weight > 0).then_some((weight, specificity, index))
}

/// How many of type and subtype a range names, and how many parameters.
type Specificity = (u8, usize);

/// An element of `Accept`: a media range and its weight.
struct Range<'a> {
    media_type: MediaType<'a>,
    /// In thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(element: &'a str) -> Option<Range<'a>> {
        let media_type = MediaType::parse(element).ok()?;
        let weight = media_type.params().find(is_weight);
        let weight = weight.map_or(Some(1000), |(_, value)| parse_weight(value.as_str()))?;
        Some(Range { media_type, weight })
    }

    /// How specific the range is, if it includes the media type.
    fn includes(&self, media_type: &MediaType<'_>) -> Option<Specificity> {
        let range = &self.media_type;
        let named = match (range.ty == _STAR, range.subty == _STAR) {
            (true, true) => 0,
            (false, true) if range.ty == media_type.ty => 1,
            (false, false) if range.essence() == media_type.essence() => 2,
            _ => return None,
        };
        // Parameters after the weight do not belong to the range.
        let parameters = range.params().take_while(|parameter| !is_weight(parameter));
        let parameters: Vec<_> = parameters.collect();
        // All text is UTF-8.
        let is_true = |(name, value): &(Name<'_>, Value<'_>)| {
            *name == CHARSET && value.unquoted_str().eq_ignore_ascii_case("utf-8")
        };
        let are_true = parameters.iter().all(is_true);
        are_true.then_some((named, parameters.len()))
    }
}

fn is_weight((name, _): &(Name<'_>, Value<'_>)) -> bool {
    *name == "q"
}

/// A weight (RFC 9110, 12.4.2) in thousandths.
fn parse_weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{fraction:0<3}")
        .parse()
        .ok()
        .filter(|_| is_fraction)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
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
