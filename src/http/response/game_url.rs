//! The URL of a game.

use axum::http::HeaderValue;

use super::header_text::header_text;
use crate::application::GameId;

const GAMES: &str = "/games/";

/// The URL of a game. A response contains it up to four times, and the id is converted to text once.
#[derive(Debug)]
pub(crate) struct GameUrl {
    pub(crate) id: GameId,
    text: String,
}

impl GameUrl {
    pub(crate) fn of(id: GameId) -> GameUrl {
        let text = id.with_prefix(GAMES);
        GameUrl { id, text }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The last segment of the URL.
    pub(crate) fn id_text(&self) -> &str {
        &self.as_str()[GAMES.len()..]
    }

    /// The URL itself as a header value.
    pub(crate) fn value(&self) -> HeaderValue {
        header_text([self.as_str()])
    }

    /// A URL that begins with this one and ends with a number.
    pub(crate) fn with_number(&self, rest: &str, number: u64) -> HeaderValue {
        header_text([self.as_str(), rest, itoa::Buffer::new().format(number)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_ends_with_the_id_of_its_game() {
        let id = "5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77";
        let url = GameUrl::of(id.parse().expect("an id"));
        assert_eq!(url.id_text(), id);
        assert_eq!(url.value(), format!("/games/{id}"));
        let revision = url.with_number("?revision=", 7);
        assert_eq!(revision, format!("/games/{id}?revision=7"));
    }
}
