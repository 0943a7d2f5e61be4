//! Player names, the two sides of a game, and the colour of each side.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::board::Disc;
use super::name_rules::{Forbidden, composed, decomposed, first_forbidden, is_blank};

/// The longest name allowed in a new game, in characters (Unicode scalar values).
const LONGEST_NAME: usize = 64;

/// The name of a player. `==` compares names exactly: `"Ada"` is not `"ada"`. Names that differ only
/// in their Unicode normalization are the same name to a player: see [`is_same_as`].
///
/// Use [`PlayerName::parse`] for the names of new games. Deserializing accepts any text, like
/// [`PlayerName::recorded`].
///
/// [`is_same_as`]: PlayerName::is_same_as
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayerName(Arc<str>);

/// Why a text is not a valid player name for a new game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlayerName {
    /// The name is empty or contains only blanks.
    #[error("a name must not be blank")]
    Blank,
    /// The name has more than 64 characters.
    #[error("a name has at most {LONGEST_NAME} characters")]
    TooLong,
    /// The name contains a control character, such as a line break.
    #[error(
        "a name must not contain control characters: character {place} is U+{:04X}",
        u32::from(*character)
    )]
    ControlCharacter {
        /// The first such character.
        character: char,
        /// Its place in the name, counted from 1.
        place: usize,
    },
    /// The name contains a character that is invisible or changes the direction of the text, so that
    /// it looks like another name.
    #[error(
        "a name must not contain characters that are invisible or change the direction of the \
         text: character {place} is U+{:04X}",
        u32::from(*character)
    )]
    InvisibleCharacter {
        /// The first such character.
        character: char,
        /// Its place in the name, counted from 1.
        place: usize,
    },
}

impl PlayerName {
    /// Checks a name that a client sent, and brings it into Unicode's normal form C. White space is
    /// kept. The length and the places are those of the text that was sent.
    pub fn parse(name: &str) -> Result<PlayerName, InvalidPlayerName> {
        if is_blank(name) {
            return Err(InvalidPlayerName::Blank);
        }
        if name.chars().count() > LONGEST_NAME {
            return Err(InvalidPlayerName::TooLong);
        }
        match first_forbidden(name) {
            None => Ok(PlayerName(composed(name).into())),
            Some((Forbidden::Control, character, place)) => {
                Err(InvalidPlayerName::ControlCharacter { character, place })
            }
            Some((Forbidden::Invisible, character, place)) => {
                Err(InvalidPlayerName::InvisibleCharacter { character, place })
            }
        }
    }

    /// Accepts any text, since the tutorial stored names without checking them. Use this for names
    /// in stored events, and for commands on an existing game, which are checked against the names
    /// of its players.
    pub fn recorded(name: &str) -> PlayerName {
        PlayerName(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This name in Unicode's normal forms C and D. [`PlayerName::parse`] returns form C.
    pub fn normal_forms(&self) -> [PlayerName; 2] {
        [composed(&self.0), decomposed(&self.0)].map(|form| match form {
            Cow::Borrowed(_) => self.clone(),
            Cow::Owned(form) => PlayerName(form.into()),
        })
    }

    /// Whether the two names differ at most in their Unicode normalization.
    pub fn is_same_as(&self, other: &PlayerName) -> bool {
        self == other || composed(&self.0) == composed(&other.0)
    }
}

impl fmt::Display for PlayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the two sides of a game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Player one: yellow, and the first to move.
    One,
    /// Player two: red.
    Two,
}

impl Side {
    /// The colour of this side's discs.
    pub fn disc(self) -> Disc {
        match self {
            Side::One => Disc::Yellow,
            Side::Two => Disc::Red,
        }
    }

    /// The opponent's side.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::One => Side::Two,
            Side::Two => Side::One,
        }
    }
}

/// The two players of a game.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Players {
    /// The player with the yellow discs, who moves first.
    pub one: PlayerName,
    /// The player with the red discs.
    pub two: PlayerName,
}

/// The same name was given for both players.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the two players need different names")]
pub struct PlayersNotDistinct;

impl Players {
    /// The players of a new game. Stored games are not checked: the tutorial's aggregate accepted
    /// equal names, and only its terminal program refused them.
    pub fn new(one: PlayerName, two: PlayerName) -> Result<Players, PlayersNotDistinct> {
        if one == two {
            return Err(PlayersNotDistinct);
        }
        Ok(Players { one, two })
    }

    /// The name of this player as the game has it; `None` if the player does not play in this game.
    /// An equal name takes precedence over one that differs in its Unicode normalization: a stored
    /// game may have both.
    pub fn find(&self, player: &PlayerName) -> Option<&PlayerName> {
        let players = [&self.one, &self.two];
        let equal = players.into_iter().find(|name| *name == player);
        equal.or_else(|| players.into_iter().find(|name| name.is_same_as(player)))
    }

    /// Whether these are the same players in the same order, up to the Unicode normalization of
    /// their names.
    pub fn are_same_as(&self, others: &Players) -> bool {
        self.one.is_same_as(&others.one) && self.two.is_same_as(&others.two)
    }

    /// The side of the player with exactly this name; `None` if there is none.
    pub fn side_of(&self, player: &PlayerName) -> Option<Side> {
        if *player == self.one {
            Some(Side::One)
        } else if *player == self.two {
            Some(Side::Two)
        } else {
            None
        }
    }

    /// The name of the player on this side.
    pub fn on(&self, side: Side) -> &PlayerName {
        match side {
            Side::One => &self.one,
            Side::Two => &self.two,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_it_was_given() {
        let name = PlayerName::parse(" Zoë 🟡 ").expect("a valid name");
        assert_eq!(name.as_str(), " Zoë 🟡 ");
    }

    #[test]
    fn a_name_has_one_to_64_characters_and_more_than_blanks() {
        let longest = "ł".repeat(64);
        assert!(PlayerName::parse(&longest).is_ok());
        for (name, error) in [
            ("", InvalidPlayerName::Blank),
            (" \u{a0}\t", InvalidPlayerName::Blank),
            ("\u{3000}\u{2800} ", InvalidPlayerName::Blank),
            (&format!("{longest}!"), InvalidPlayerName::TooLong),
        ] {
            assert_eq!(PlayerName::parse(name), Err(error), "{name:?}");
        }
    }

    #[test]
    fn a_refusal_says_which_character_is_not_allowed_and_where_it_is() {
        for (name, character, place) in [
            ("a\nb", '\n', 2),
            ("é\u{7f}", '\u{7f}', 2),
            ("a\u{85}", '\u{85}', 2),
            ("ab\u{2028}", '\u{2028}', 3),
        ] {
            let error = InvalidPlayerName::ControlCharacter { character, place };
            assert_eq!(PlayerName::parse(name), Err(error), "{name:?}");
        }
        for (name, character, place) in [
            ("bob\u{202e}", '\u{202e}', 4),
            ("\u{200b}", '\u{200b}', 1),
            ("\u{2066}bob", '\u{2066}', 1),
            ("b\u{ad}ob", '\u{ad}', 2),
            ("\u{3164}", '\u{3164}', 1),
            ("bob\u{e0062}", '\u{e0062}', 4),
            ("bob\u{feff}", '\u{feff}', 4),
            ("bob\u{fff9}", '\u{fff9}', 4),
        ] {
            let error = InvalidPlayerName::InvisibleCharacter { character, place };
            assert_eq!(PlayerName::parse(name), Err(error), "{name:?}");
            let text = format!("character {place} is U+{:04X}", u32::from(character));
            assert!(error.to_string().ends_with(&text), "{error}");
        }
    }

    #[test]
    fn names_that_differ_only_in_their_normalization_are_the_same_name() {
        let composed = PlayerName::parse("Zo\u{eb}").expect("a valid name");
        let decomposed = PlayerName::parse("Zoe\u{308}").expect("a valid name");
        assert_eq!(decomposed, composed);
        assert!(Players::new(composed.clone(), decomposed).is_err());

        let stored = PlayerName::recorded("Zoe\u{308}");
        assert!(stored != composed && stored.is_same_as(&composed));
        assert_eq!(stored.normal_forms(), [composed.clone(), stored.clone()]);
        let bob = PlayerName::recorded("bob");
        let players = |one: &PlayerName, two: &PlayerName| Players {
            one: one.clone(),
            two: two.clone(),
        };
        assert_eq!(players(&stored, &bob).find(&composed), Some(&stored));
        assert_eq!(players(&stored, &composed).find(&composed), Some(&composed));
        assert!(players(&stored, &bob).are_same_as(&players(&composed, &bob)));
        assert!(!players(&stored, &bob).are_same_as(&players(&bob, &composed)));
    }

    #[test]
    fn two_players_have_different_names() {
        let ada = || PlayerName::parse("ada").expect("a valid name");
        assert_eq!(Players::new(ada(), ada()), Err(PlayersNotDistinct));
    }
}
