//! `Link` fields (RFC 8288, RFC 5829).

use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue};
use uuid::Uuid;

use crate::application::GameId;
use crate::event_store::StreamRevision;

/// The link to the next page, if there is one (RFC 8288).
pub(crate) fn next_link(next: Option<&String>) -> Option<(HeaderName, HeaderValue)> {
    let link = HeaderValue::try_from(format!("<{}>; rel=\"next\"", next?));
    Some((LINK, link.expect("an encoded URL is a header value")))
}

/// The URL of a game.
pub(crate) fn game_url(id: GameId) -> String {
    ["/games/", id.write(&mut Uuid::encode_buffer())].concat()
}

/// The link to the game's events, for every response that shows the game.
pub(crate) fn history_link(id: GameId) -> (HeaderName, HeaderValue) {
    let events = "/events>; rel=\"version-history\"";
    link(["<", &game_url(id), events].concat())
}

/// The links to the revisions before and after this one (RFC 5829). `latest` is the last readable revision.
pub(crate) fn links(
    id: GameId,
    shown: StreamRevision,
    latest: StreamRevision,
) -> (HeaderName, HeaderValue) {
    let game = game_url(id);
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
    link(links.join(", "))
}

fn link(links: String) -> (HeaderName, HeaderValue) {
    let links = HeaderValue::try_from(links).expect("ids and numbers are header values");
    (LINK, links)
}
