//! `GET /games`: games, filtered by status, player and result, from the read model.

use crate::http::response::event_view::rfc3339;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::cursor;
use super::player_names::name_in_lists;
use super::read_your_writes::{ReadYourWrites, require_caught_up};
use crate::domain::GameResult;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::AcceptsJson;
use crate::http::request::position::event_position;
use crate::http::request::query::{Query, invalid_query};
use crate::http::response::json;
use crate::http::response::links::next_link;
use crate::http::response::validators::REVALIDATE;
use crate::read_model::{GameStatus, GameSummary, GamesPage, GamesQuery};

/// The default number of entries in a list.
const PAGE: u64 = 20;

/// The most entries in a list.
const LARGEST_PAGE: u64 = 100;

const STATUSES: [(&str, GameStatus); 2] = [
    ("in_progress", GameStatus::InProgress),
    ("finished", GameStatus::Finished),
];

const RESULTS: [(&str, GameResult); 3] = [
    ("PLAYER_ONE_WON", GameResult::PlayerOneWon),
    ("PLAYER_TWO_WON", GameResult::PlayerTwoWon),
    ("TIED", GameResult::Tied),
];

const PROTECTED: [(&str, bool); 2] = [("true", true), ("false", false)];

/// `GET /games`
pub(crate) async fn list_games(
    State(app): State<App>,
    _: AcceptsJson,
    read_your_writes: ReadYourWrites,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = games_query(query)?;
    let applied = read_your_writes.reached(&app).await?;
    if let Some(given) = query.player.take() {
        let name = name_in_lists(&app, given).await;
        query.player = Some(name.map_err(|error| Problem::of_read_model(&error))?);
    }
    let page = app.read_model.games(&query).await;
    let page = page.map_err(|error| Problem::of_read_model(&error))?;
    let page = require_caught_up(&app, page)?;
    let next = page.next.map(|number| next_page(&query, number));
    let link = next_link(next.as_ref());
    let headers = list_headers(applied, event_position(page.position)).chain(link);
    Ok(json(headers, GamesView::of(&page, next)))
}

/// The header fields of every list: caches must revalidate it, and `Event-Position` says which events it includes.
pub(crate) fn list_headers(
    applied: Option<(HeaderName, HeaderValue)>,
    position: Option<(HeaderName, HeaderValue)>,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    [REVALIDATE].into_iter().chain(applied).chain(position)
}

/// The `limit` parameter, or its default.
pub(crate) fn limit(query: &mut Query) -> Result<usize, Problem> {
    let limit = query.number("limit", 1..=LARGEST_PAGE)?.unwrap_or(PAGE);
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

fn games_query(mut query: Query) -> Result<GamesQuery, Problem> {
    let status = query.named("status", &STATUSES)?;
    let result = query.named("result", &RESULTS)?;
    let a_cursor = "the cursor from next of another page";
    let games = GamesQuery {
        status,
        player: query.text("player"),
        result,
        is_protected: query.named("protected", &PROTECTED)?,
        before: query.parsed("cursor", cursor::read, a_cursor)?,
        limit: limit(&mut query)?,
    };
    query.finish()?;
    if games.status == Some(GameStatus::InProgress) && games.result.is_some() {
        return Err(invalid_query(
            "result",
            "A game in progress has no result. Remove status or result.".to_owned(),
        ));
    }
    Ok(games)
}

/// The URL of the next page of the same query.
fn next_page(query: &GamesQuery, before: u64) -> String {
    let path = "/games?";
    let mut url = form_urlencoded::Serializer::for_suffix(path.to_owned(), path.len());
    let names = STATUSES
        .iter()
        .filter(|(_, status)| query.status == Some(*status));
    url.extend_pairs(names.map(|(name, _)| ("status", name)));
    url.extend_pairs(query.player.iter().map(|player| ("player", player)));
    let names = RESULTS
        .iter()
        .filter(|(_, result)| query.result == Some(*result));
    url.extend_pairs(names.map(|(name, _)| ("result", name)));
    let names = PROTECTED
        .iter()
        .filter(|(_, is_protected)| query.is_protected == Some(*is_protected));
    url.extend_pairs(names.map(|(name, _)| ("protected", name)));
    url.append_pair("limit", &query.limit.to_string());
    url.append_pair("cursor", &cursor::write(before));
    url.finish()
}

/// Some games, newest first.
#[derive(Debug, Serialize)]
struct GamesView<'a> {
    games: Vec<SummaryView<'a>>,
    /// The URL of the next page; null on the last page.
    next: Option<String>,
}

impl<'a> GamesView<'a> {
    fn of(page: &'a GamesPage, next: Option<String>) -> GamesView<'a> {
        let games = page.games.iter().map(SummaryView::of).collect();
        GamesView { games, next }
    }
}

/// A game in a list. It has times, unlike the JSON of a game, which depends only on the data of the events.
#[derive(Debug, Serialize)]
struct SummaryView<'a> {
    id: String,
    revision: u64,
    player_one: &'a str,
    player_two: &'a str,
    next_player: Option<&'a str>,
    is_finished: bool,
    result: Option<GameResult>,
    #[serde(serialize_with = "rfc3339")]
    started_at: DateTime<Utc>,
    #[serde(serialize_with = "rfc3339")]
    changed_at: DateTime<Utc>,
    protected: bool,
}

impl<'a> SummaryView<'a> {
    fn of(summary: &'a GameSummary) -> SummaryView<'a> {
        SummaryView {
            id: summary.id.to_string(),
            revision: summary.revision,
            player_one: &summary.player_one,
            player_two: &summary.player_two,
            next_player: summary.next_player.as_deref(),
            is_finished: summary.result.is_some(),
            result: summary.result,
            started_at: summary.started_at,
            changed_at: summary.changed_at,
            protected: summary.is_protected,
        }
    }
}
