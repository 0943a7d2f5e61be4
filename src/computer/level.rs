//! How strong the computer plays.

use std::fmt;
use std::str::FromStr;

use super::solver::Effort;

/// How strong the computer plays. No level misses a win in one move or fails to block one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Looks two plies ahead, which is one move of each side.
    Easy,
    /// Looks six plies ahead.
    #[default]
    Normal,
    /// Looks as far ahead as its nodes allow: about 13 plies in the opening, and further the
    /// fewer columns are open.
    Hard,
}

impl Level {
    /// All levels, from the weakest to the strongest.
    pub const ALL: [Level; 3] = [Level::Easy, Level::Normal, Level::Hard];

    /// The level's name, as it is parsed.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Easy => "easy",
            Level::Normal => "normal",
            Level::Hard => "hard",
        }
    }

    /// How much a move of this level may cost.
    pub fn effort(self) -> Effort {
        match self {
            Level::Easy => Effort {
                depth: 2,
                nodes: 1_000,
            },
            Level::Normal => Effort {
                depth: 6,
                nodes: 20_000,
            },
            Level::Hard => Effort {
                depth: 42,
                nodes: 250_000,
            },
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not the name of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a level is one of easy, normal and hard")]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Level::ALL
            .into_iter()
            .find(|level| level.as_str() == name)
            .ok_or(UnknownLevel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_parsed_from_the_name_that_it_is_shown_as() {
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert_eq!("hard".parse(), Ok(Level::Hard));
    }

    #[test]
    fn any_other_word_is_no_level() {
        for word in ["", "Hard", "hard ", "impossible"] {
            assert_eq!(word.parse::<Level>(), Err(UnknownLevel), "{word:?}");
        }
    }
}
