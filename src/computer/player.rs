//! The computer as a player: its name and its level.

use super::level::Level;
use crate::domain::{PlayerName, Players};

/// Who the computer plays as, and how strong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputerPlayer {
    /// The computer plays in every game in which one of the players has this name.
    pub name: PlayerName,
    /// How strong it plays.
    pub level: Level,
}

impl ComputerPlayer {
    /// Whether the computer is one of these players. It does not play if it is both of them: new
    /// games never have equal names, but games that another program stored may.
    pub(super) fn plays_in(&self, players: &Players) -> bool {
        self.is(&players.one) != self.is(&players.two)
    }

    /// Whether this is the computer's name, in any Unicode normalization.
    pub(super) fn is(&self, name: &PlayerName) -> bool {
        self.name.is_same_as(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_computer_plays_one_side_whatever_the_normalization_of_its_name() {
        let computer = ComputerPlayer {
            name: PlayerName::parse("Zoe\u{301}").expect("a name"),
            level: Level::Easy,
        };
        let plays = |one, two| {
            computer.plays_in(&Players {
                one: PlayerName::recorded(one),
                two: PlayerName::recorded(two),
            })
        };
        assert!(plays("Zo\u{e9}", "ada"));
        assert!(plays("ada", "Zoe\u{301}"));
        assert!(!plays("ada", "grace"));
        assert!(!plays("Zo\u{e9}", "Zoe\u{301}"));
    }
}
