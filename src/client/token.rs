//! The tokens of the players of a protected game.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The secret with which a player of a protected game moves and resigns. Its `Debug` form does not
/// contain it, and it has no `Display` form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PlayerToken(String);

/// A text that no service gives to a player as a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token consists of letters, digits, '-', '.', '_' and '~'")]
pub struct InvalidPlayerToken;

/// The tokens of both players of a protected game.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say which player")]
pub struct PlayerTokens {
    pub player_one: PlayerToken,
    pub player_two: PlayerToken,
}

impl PlayerToken {
    /// The secret, for the player and nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlayerToken {
    type Err = InvalidPlayerToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match !text.is_empty() && text.bytes().all(is_safe) {
            true => Ok(PlayerToken(text.to_owned())),
            false => Err(InvalidPlayerToken),
        }
    }
}

impl TryFrom<String> for PlayerToken {
    type Error = InvalidPlayerToken;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Debug for PlayerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlayerToken(..)")
    }
}

impl PlayerTokens {
    /// Tokens of 128 bits each for a new game.
    ///
    /// # Errors
    /// The random source of the operating system failed.
    pub fn generate() -> Result<PlayerTokens, getrandom::Error> {
        Ok(PlayerTokens {
            player_one: PlayerToken(secret()?),
            player_two: PlayerToken(secret()?),
        })
    }
}

/// 128 bits from the random source of the operating system, as 22 characters. Players type or paste
/// them, so they are not longer than necessary.
pub(super) fn secret() -> Result<String, getrandom::Error> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_different_url_safe_and_not_in_their_debug_form() {
        let tokens = PlayerTokens::generate().expect("a random source");
        assert_ne!(tokens.player_one, tokens.player_two);
        for token in [&tokens.player_one, &tokens.player_two] {
            assert_eq!(token.reveal().len(), 22);
            assert_eq!(token.reveal().parse(), Ok(token.clone()));
            assert!(!format!("{tokens:?}").contains(token.reveal()));
        }
    }

    #[test]
    fn a_text_that_a_header_field_cannot_carry_is_not_a_token() {
        for text in ["", "two words", "line\nbreak", "t\u{f6}ken"] {
            assert_eq!(text.parse::<PlayerToken>(), Err(InvalidPlayerToken));
            assert!(serde_json::from_value::<PlayerToken>(text.into()).is_err());
        }
    }
}
