//! Player tokens. A game is protected if the metadata of its `GameStarted` event contains the hashes of two tokens;
//! then only the holder of a player's token moves or resigns for that player.
//!
//! The hashes are stored nowhere else, so every replica can check a token, and no server secret is needed. A hash
//! without salt is enough, because a token has at least 128 random bits.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::game_id::GameId;
use super::idempotency_key::IdempotencyKey;
use crate::domain::Side;

/// The member of the event's metadata that contains the hashes.
const MEMBER: &str = "token_sha256";
const PLAYER_ONE: &str = "player_one";
const PLAYER_TWO: &str = "player_two";

/// The length of a token that a client chooses, in characters: 22 characters of Base64 have 132 bits.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 22..=128;

/// A secret of at least 128 bits has more different characters than this, except for one in a billion.
const FEWEST_CHARACTERS: usize = 8;

/// The secret of a player in a protected game. Its `Debug` form does not contain it.
#[derive(Clone)]
pub struct PlayerToken(String);

/// Why a text is not a token that a client may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It has fewer than 22 or more than 128 characters.
    #[error(
        "a token has {} to {} characters",
        TOKEN_LENGTH.start(),
        TOKEN_LENGTH.end()
    )]
    Length,
    /// It contains a character that a URL or a header field would have to escape.
    #[error("a token consists of letters, digits, '-', '.', '_' and '~'")]
    Character,
    /// It cannot have 128 random bits.
    #[error("a token must be random; this one has too few different characters")]
    NotRandom,
}

impl PlayerToken {
    /// A token that a client chose for a new game.
    pub fn chosen(text: &str) -> Result<PlayerToken, InvalidToken> {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !text.bytes().all(is_safe) {
            return Err(InvalidToken::Character);
        }
        if !TOKEN_LENGTH.contains(&text.len()) {
            return Err(InvalidToken::Length);
        }
        if !is_secret(text) {
            return Err(InvalidToken::NotRandom);
        }
        Ok(PlayerToken(text.to_owned()))
    }

    /// A token as a client sent it to make a move. It may be any text; only the hash is compared.
    pub fn presented(text: &str) -> PlayerToken {
        PlayerToken(text.to_owned())
    }

    /// The secret, to be shown to the client that started the game and to nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for PlayerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlayerToken(..)")
    }
}

/// Whether a text can have 128 random bits: it is long enough and has enough different characters. A UUID passes.
fn is_secret(text: &str) -> bool {
    let mut characters: Vec<u8> = text.bytes().collect();
    characters.sort_unstable();
    characters.dedup();
    text.len() >= *TOKEN_LENGTH.start() && characters.len() >= FEWEST_CHARACTERS
}

/// The tokens of both players of a protected game.
#[derive(Debug, Clone)]
pub struct PlayerTokens {
    /// The token of player one.
    pub player_one: PlayerToken,
    /// The token of player two.
    pub player_two: PlayerToken,
}

/// The key is too short, or has too few different characters, to derive secrets from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key of a protected game must be a secret of at least 128 random bits, such as 32 random hexadecimal digits"
)]
pub struct NotASecretKey;

impl PlayerTokens {
    /// New tokens of 256 bits each, from the random source of the operating system.
    ///
    /// # Errors
    /// The operating system has no random source, or it failed.
    pub fn generate() -> Result<PlayerTokens, getrandom::Error> {
        let token = || {
            let mut random = [0; 32];
            getrandom::fill(&mut random)?;
            Ok(PlayerToken(URL_SAFE_NO_PAD.encode(random)))
        };
        Ok(PlayerTokens {
            player_one: token()?,
            player_two: token()?,
        })
    }

    /// The tokens of the game that is started with this key: HMAC-SHA-256 of the game's id and the seat, keyed
    /// with the idempotency key. A repeated request gets the same tokens, at every replica.
    pub fn derive(key: &IdempotencyKey, game: GameId) -> Result<PlayerTokens, NotASecretKey> {
        if !is_secret(key.as_str()) {
            return Err(NotASecretKey);
        }
        let token = |seat: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_str().as_bytes())
                .expect("HMAC accepts a key of any length");
            mac.update(format!("connect-four:{game}:{seat}").as_bytes());
            PlayerToken(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
        };
        Ok(PlayerTokens {
            player_one: token(PLAYER_ONE),
            player_two: token(PLAYER_TWO),
        })
    }

    /// Whether both players would have the same token. Such tokens protect nobody.
    pub fn are_equal(&self) -> bool {
        self.player_one
            .hash()
            .equals(&self.player_two.hash())
            .into()
    }
}

/// The SHA-256 hash of a token.
///
/// It can only be compared in constant time:
///
/// ```compile_fail
/// fn leaks(one: &connect_four::application::TokenHash, two: &connect_four::application::TokenHash) -> bool {
///     one == two
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The only comparison of hashes. Takes the same time whatever the hashes are.
    fn equals(&self, other: &TokenHash) -> Choice {
        #[cfg(test)]
        tests::COMPARISONS.with(|count| count.set(count.get() + 1));
        self.0.ct_eq(&other.0)
    }

    fn encoded(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    fn decode(text: &Value) -> Option<TokenHash> {
        let bytes = URL_SAFE_NO_PAD.decode(text.as_str()?).ok()?;
        bytes.try_into().ok().map(TokenHash)
    }
}

/// The two seats of a protected game, each with the hash of its player's token. A seat whose stored hash is not
/// valid has none: nobody can move for it.
#[derive(Debug, Clone)]
pub struct Seats {
    one: Option<TokenHash>,
    two: Option<TokenHash>,
}

impl From<&PlayerTokens> for Seats {
    fn from(tokens: &PlayerTokens) -> Seats {
        Seats {
            one: Some(tokens.player_one.hash()),
            two: Some(tokens.player_two.hash()),
        }
    }
}

impl Seats {
    /// The seats in the metadata of a `GameStarted` event; `None` if the game is not protected.
    pub fn of_metadata(metadata: &[u8]) -> Option<Seats> {
        // Most games are not protected and have little or no metadata.
        if metadata.is_empty() {
            return None;
        }
        let metadata: Map<String, Value> = serde_json::from_slice(metadata).ok()?;
        let hashes = metadata.get(MEMBER)?;
        Some(Seats {
            one: TokenHash::decode(&hashes[PLAYER_ONE]),
            two: TokenHash::decode(&hashes[PLAYER_TWO]),
        })
    }

    /// Adds the hashes to the metadata of a `GameStarted` event.
    pub(super) fn add_to(&self, metadata: &mut Map<String, Value>) {
        let [one, two] = self.encoded();
        let hashes = serde_json::json!({PLAYER_ONE: one, PLAYER_TWO: two});
        metadata.insert(MEMBER.to_owned(), hashes);
    }

    fn encoded(&self) -> [Option<String>; 2] {
        [&self.one, &self.two].map(|hash| hash.as_ref().map(TokenHash::encoded))
    }

    /// Removes the hashes from an event's metadata, for every reader outside this service.
    pub fn remove_from(metadata: &mut Value) {
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.shift_remove(MEMBER);
        }
    }

    /// The hashes as text, to distinguish the starts of games with different tokens.
    pub(super) fn text(&self) -> String {
        self.encoded().map(Option::unwrap_or_default).join(":")
    }

    /// The seat that this token belongs to. Always compares with both hashes.
    pub(super) fn seat_of(&self, token: &PlayerToken) -> Option<Side> {
        let hash = token.hash();
        let is = |seat: &Option<TokenHash>| match seat {
            Some(seat) => seat.equals(&hash),
            None => Choice::from(0),
        };
        let (one, two) = (is(&self.one), is(&self.two));
        match (bool::from(one), bool::from(two)) {
            (true, _) => Some(Side::One),
            (false, true) => Some(Side::Two),
            (false, false) => None,
        }
    }

    /// Whether both games have the same tokens.
    pub(super) fn are_those_of(&self, other: &Seats) -> bool {
        let equal = |one: &Option<TokenHash>, other: &Option<TokenHash>| match (one, other) {
            (Some(one), Some(other)) => one.equals(other),
            (Some(_) | None, None) | (None, Some(_)) => Choice::from(0),
        };
        (equal(&self.one, &other.one) & equal(&self.two, &other.two)).into()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        pub(super) static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    const KEY: &str = "9f86d081884c7d659a2feaa0c55ad015";

    fn game() -> GameId {
        "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12"
            .parse()
            .expect("an id")
    }

    #[test]
    fn generated_tokens_are_long_url_safe_and_different() {
        let tokens = PlayerTokens::generate().expect("a random source");
        assert!(!tokens.are_equal());
        for token in [&tokens.player_one, &tokens.player_two] {
            assert_eq!(token.reveal().len(), 43);
            PlayerToken::chosen(token.reveal()).expect("it could be chosen as well");
        }
    }

    #[test]
    fn derived_tokens_depend_on_the_key_the_game_and_the_seat_alone() {
        let derive = |key: &str, game| {
            let key = key.parse().expect("a key");
            let tokens = PlayerTokens::derive(&key, game).expect("a secret");
            [tokens.player_one.0, tokens.player_two.0]
        };
        let tokens = derive(KEY, game());
        assert_eq!(tokens, derive(KEY, game()));
        assert_ne!(tokens[0], tokens[1]);
        assert_ne!(tokens, derive(KEY, GameId::generate()));
        assert_ne!(tokens, derive("9f86d081884c7d659a2feaa0c55ad016", game()));
        // Computed with Python's `hmac`. Other replicas and later versions must compute the same.
        assert_eq!(tokens[0], "dY22hOv7ICVcA-B-cAS-F2JY097u4-Okkpb2EzoYyGE");
    }

    #[test]
    fn a_key_that_cannot_be_a_secret_is_refused() {
        for key in [
            "sixteen-letters!",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababab",
        ] {
            let key = key.parse().expect("a key");
            assert!(PlayerTokens::derive(&key, game()).is_err(), "{key:?}");
        }
    }

    #[test]
    fn a_chosen_token_is_long_random_and_url_safe() {
        let chosen = |text: &str| PlayerToken::chosen(text).map(drop);
        assert_eq!(chosen(KEY), Ok(()));
        assert_eq!(chosen("short"), Err(InvalidToken::Length));
        assert_eq!(chosen(&"a".repeat(43)), Err(InvalidToken::NotRandom));
        assert_eq!(chosen(&format!("{KEY} ")), Err(InvalidToken::Character));
        assert_eq!(chosen(&KEY.repeat(5)), Err(InvalidToken::Length));
    }

    #[test]
    fn hashes_survive_storage_and_tokens_are_not_stored() {
        let tokens = PlayerTokens::generate().expect("a random source");
        let mut metadata = Map::new();
        Seats::from(&tokens).add_to(&mut metadata);
        let stored = Value::Object(metadata).to_string();
        assert!(!stored.contains(tokens.player_one.reveal()));
        let seats = Seats::of_metadata(stored.as_bytes()).expect("protected");
        assert_eq!(seats.seat_of(&tokens.player_one), Some(Side::One));
        assert_eq!(seats.seat_of(&tokens.player_two), Some(Side::Two));
        assert_eq!(seats.seat_of(&PlayerToken::presented("")), None);
        assert!(seats.are_those_of(&Seats::from(&tokens)));
        let others = PlayerTokens::generate().expect("a random source");
        assert!(!seats.are_those_of(&Seats::from(&others)));
    }

    #[test]
    fn games_without_valid_hashes_are_not_open_to_everyone() {
        for metadata in ["", "{}", "[]", "nonsense", r#"{"$correlationId":"x"}"#] {
            assert!(
                Seats::of_metadata(metadata.as_bytes()).is_none(),
                "{metadata}"
            );
        }
        for hashes in [
            "null",
            "7",
            "{}",
            r#"{"player_one":"short","player_two":null}"#,
        ] {
            let metadata = format!(r#"{{"token_sha256":{hashes}}}"#);
            let seats = Seats::of_metadata(metadata.as_bytes()).expect("protected");
            assert_eq!(seats.seat_of(&PlayerToken::presented("")), None, "{hashes}");
            assert!(!seats.are_those_of(&seats));
        }
    }

    #[test]
    fn a_token_is_compared_in_constant_time_with_both_hashes() {
        let tokens = PlayerTokens::generate().expect("a random source");
        let seats = Seats::from(&tokens);
        for token in [
            &tokens.player_one,
            &tokens.player_two,
            &PlayerToken::presented("x"),
        ] {
            COMPARISONS.set(0);
            let _ = seats.seat_of(token);
            assert_eq!(COMPARISONS.get(), 2);
        }
    }

    #[test]
    fn the_debug_form_of_a_token_does_not_contain_it() {
        let token = PlayerToken::presented(KEY);
        assert!(!format!("{token:?}").contains(KEY));
    }
}
