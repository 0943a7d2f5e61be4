//! Player names, the two sides of a game, and the colour of each side.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::board::Disc;

/// The longest name allowed in a new game, in characters (Unicode scalar values).
const LONGEST_NAME: usize = 64;

/// The name of a player. Names are compared exactly: `"Ada"` is not `"ada"`.
///
/// Use [`PlayerName::parse`] for the names of new games. Deserializing accepts any text, like
/// [`PlayerName::recorded`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayerName(Arc<str>);

/// Why a text is not a valid player name for a new game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlayerName {
    /// The name is empty or contains only white space.
    #[error("a name must not be blank")]
    Blank,
    /// The name has more than 64 characters.
    #[error("a name has at most {LONGEST_NAME} characters")]
    TooLong,
    /// The name contains a control character, such as a line break.
    #[error("a name must not contain control characters")]
    ControlCharacter,
}

impl PlayerName {
    /// Checks a name that a client sent. The name is not changed: white space is kept.
    pub fn parse(name: &str) -> Result<PlayerName, InvalidPlayerName> {
        if name.trim().is_empty() {
            return Err(InvalidPlayerName::Blank);
        }
        if name.chars().count() > LONGEST_NAME {
            return Err(InvalidPlayerName::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(InvalidPlayerName::ControlCharacter);
        }
        Ok(PlayerName(name.into()))
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

    /// The side of this player; `None` if the player does not play in this game.
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
    fn a_name_has_one_to_64_characters_and_no_control_characters() {
        let longest = "ł".repeat(64);
        assert!(PlayerName::parse(&longest).is_ok());
        for (name, error) in [
            ("", InvalidPlayerName::Blank),
            (" \u{a0}\t", InvalidPlayerName::Blank),
            ("a\nb", InvalidPlayerName::ControlCharacter),
            ("a\u{7f}", InvalidPlayerName::ControlCharacter),
            (&format!("{longest}!"), InvalidPlayerName::TooLong),
        ] {
            assert_eq!(PlayerName::parse(name), Err(error), "{name:?}");
        }
    }

    #[test]
    fn two_players_have_different_names() {
        let ada = || PlayerName::parse("ada").expect("a valid name");
        assert_eq!(Players::new(ada(), ada()), Err(PlayersNotDistinct));
    }
}
