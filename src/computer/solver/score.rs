//! How good a position is for the side to move.

use std::ops::Neg;

/// How good a position is for the side to move; the opponent's score is the negation.
///
/// A decided game is counted by the disc that decides it: the fewer discs are on the board then,
/// the better for the winner. So the score of a position does not depend on where a search
/// began, and can be kept in the transposition table as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Score(i32);

impl Score {
    /// Nobody wins.
    pub(super) const TIE: Score = Score(0);
    /// Better than any other.
    pub(super) const BEST: Score = Score(1000);
    /// Worse than any other.
    pub(super) const WORST: Score = Score(-1000);
    /// All scores beyond are those of decided games. The board has 42 cells, so there is room
    /// for a win with any disc.
    const ESTIMATES_UP_TO: i32 = 900;

    /// The side to move wins with the disc of this number.
    pub(super) fn win(disc: u32) -> Score {
        Score(Score::BEST.0 - disc.cast_signed())
    }

    /// The opponent wins with the disc of this number.
    pub(super) fn loss(disc: u32) -> Score {
        -Score::win(disc)
    }

    /// How promising an undecided position looks.
    pub(super) fn estimate(points: i32) -> Score {
        Score(points.clamp(-Score::ESTIMATES_UP_TO, Score::ESTIMATES_UP_TO))
    }

    /// Whether one side can force a win.
    pub(super) fn is_decisive(self) -> bool {
        self.0.abs() > Score::ESTIMATES_UP_TO
    }

    /// The number of the disc that decides the game; `None` unless one side can force a win.
    pub(super) fn winning_disc(self) -> Option<u32> {
        let disc = || Score::BEST.0.abs_diff(self.0.abs());
        self.is_decisive().then(disc)
    }
}

impl Neg for Score {
    type Output = Score;

    fn neg(self) -> Score {
        Score(-self.0)
    }
}
