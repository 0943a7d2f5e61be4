//! `Link` fields (RFC 8288, RFC 5829).

use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue};

use super::game_url::GameUrl;
use super::header_text::header_text;
use crate::event_store::StreamRevision;

/// The link to the next page, if there is one (RFC 8288).
pub(crate) fn next_link(next: Option<&String>) -> Option<(HeaderName, HeaderValue)> {
    let link = HeaderValue::try_from(format!("<{}>; rel=\"next\"", next?));
    Some((LINK, link.expect("an encoded URL is a header value")))
}

/// The link to the game's events, for every response that shows the game.
pub(crate) fn history_link(game: &GameUrl) -> (HeaderName, HeaderValue) {
    let events = "/events>; rel=\"version-history\"";
    (LINK, header_text(["<", game.as_str(), events]))
}

/// The links to the revisions before and after this one (RFC 5829). `latest` is the last readable revision.
pub(crate) fn links(
    game: &GameUrl,
    shown: StreamRevision,
    latest: StreamRevision,
) -> (HeaderName, HeaderValue) {
    let game = game.as_str();
    let shown = shown.number();
    let mut links = vec![
        format!("<{game}/events>; rel=\"version-history\""),
        format!("<{game}>; rel=\"latest-version\""),
    ];
    if let Some(before) = shown.checked_sub(1) {
        links.push(format!(
            "<{game}?revision={before}>; rel=\"predecessor-version\""
        ));
    }
    if shown < latest.number() {
        let after = shown + 1;
        links.push(format!(
            "<{game}?revision={after}>; rel=\"successor-version\""
        ));
    }
    (LINK, header_text([&links.join(", ")]))
}
