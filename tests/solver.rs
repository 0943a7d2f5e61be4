//! The computer's choice of a move: compared with a search that prunes nothing, and what holds
//! for every position, shown on generated ones.

use std::ops::Range;
use std::thread;

use connect_four::computer::{Choice, Effort, Level, Value, choose};
use connect_four::domain::{Board, Column, Disc};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;

/// A game in progress, as far as a choice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    board: Board,
    to_move: Disc,
}

impl Position {
    const START: Position = Position {
        board: Board::EMPTY,
        to_move: Disc::Yellow,
    };

    /// The position after these moves, written like `"DDE"`.
    fn after(moves: &str) -> Position {
        moves.chars().fold(Position::START, |position, letter| {
            position.play(letter.to_string().parse().expect("a column"))
        })
    }

    fn play(self, column: Column) -> Position {
        let (board, _) = self
            .board
            .drop_disc(column, self.to_move)
            .expect("a legal move");
        Position {
            board,
            to_move: opponent(self.to_move),
        }
    }

    fn moves(self) -> impl Iterator<Item = Column> {
        self.board.open_columns()
    }

    fn empty_cells(self) -> u32 {
        let discs = |column| self.board.discs(column).count();
        let discs: usize = Column::ALL.into_iter().map(discs).sum();
        42 - u32::try_from(discs).expect("at most 42 discs")
    }

    /// The columns in which a disc of this colour completes four in a row.
    fn wins_of(self, disc: Disc) -> Vec<Column> {
        let wins = |column: &Column| {
            let after = self.board.drop_disc(*column, disc);
            after.is_some_and(|(board, _)| board.has_four(disc))
        };
        Column::ALL.into_iter().filter(wins).collect()
    }

    fn mirrored(self) -> Position {
        let mut board = Board::EMPTY;
        for column in Column::ALL {
            for disc in self.board.discs(column) {
                let mirror = Column::ALL[6 - column as usize];
                (board, _) = board.drop_disc(mirror, disc).expect("as many discs");
            }
        }
        Position { board, ..self }
    }

    #[track_caller]
    fn choose(self, effort: Effort) -> Choice {
        choose(&self.board, self.to_move, effort).expect("the game is not over")
    }
}

fn opponent(disc: Disc) -> Disc {
    match disc {
        Disc::Yellow => Disc::Red,
        Disc::Red => Disc::Yellow,
    }
}

/// As much as it takes to search to the end of the game.
const UNLIMITED: Effort = Effort {
    depth: u8::MAX,
    nodes: u32::MAX,
};

/// The value of a position that is seen within this many plies, by negamax without pruning, on
/// the domain's board.
fn plain_value(position: Position, plies: u32) -> Value {
    match plain_negamax(position, plies) {
        0 if position.empty_cells() <= plies => Value::Tie,
        0 => Value::Unknown,
        left if left > 0 => Value::Win {
            plies: plies + 1 - left.unsigned_abs(),
        },
        left => Value::Loss {
            plies: plies + 1 - left.unsigned_abs(),
        },
    }
}

/// How many of the plies are left when the side to move wins: more is better. Negative if the
/// opponent wins, and 0 if nobody does.
fn plain_negamax(position: Position, plies: u32) -> i32 {
    if plies == 0 {
        return 0;
    }
    let score = |column| {
        let after = position.play(column);
        if after.board.has_four(position.to_move) {
            plies.cast_signed()
        } else {
            -plain_negamax(after, plies - 1)
        }
    };
    position.moves().map(score).max().unwrap_or(0)
}

#[test]
fn every_position_of_up_to_four_discs_has_the_value_of_a_plain_search() {
    let depth = 2;
    let effort = Effort { depth, ..UNLIMITED };
    let mut positions = vec![Position::START];
    for _ in 0..=4 {
        for position in &positions {
            let plain = plain_value(*position, u32::from(depth) + 2);
            assert_eq!(position.choose(effort).value, plain, "{position:?}");
        }
        positions = after_any_move(&positions);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_limited_search_finds_what_a_plain_one_finds_within_two_more_plies(
        position in careful_position(5..34),
        depth in 0..=3u8,
    ) {
        let plies = u32::from(depth) + 2;
        let found = position.choose(Effort { depth, ..UNLIMITED }).value;
        let plain = plain_value(position, plies);
        // Without a single ply, only what is seen at sight is known.
        if depth > 0 {
            prop_assert_eq!(found, plain);
        } else {
            prop_assert!(found == plain || found == Value::Unknown);
        }
    }

    #[test]
    fn an_endgame_has_the_value_of_a_plain_search_to_the_end(position in careful_position(32..42)) {
        let plain = plain_value(position, position.empty_cells());
        prop_assert_eq!(position.choose(UNLIMITED).value, plain);
        prop_assert_eq!(position.choose(Level::Hard.effort()).value, plain);
    }

    #[test]
    fn a_won_endgame_is_won_whatever_the_opponent_plays(position in careful_position(30..40)) {
        check_the_promise(position)?;
    }
}

fn after_any_move(positions: &[Position]) -> Vec<Position> {
    let mut after = Vec::new();
    for position in positions {
        for next in position.moves().map(|column| position.play(column)) {
            // Many orders of moves lead to the same position.
            if !after.contains(&next) {
                after.push(next);
            }
        }
    }
    after
}

/// If the computer announces a win, it wins as early as it said, against all replies.
fn check_the_promise(position: Position) -> TestCaseResult {
    let Choice { column, value, .. } = position.choose(Level::Hard.effort());
    let Value::Win { plies } = value else {
        return Ok(());
    };
    let after = position.play(column);
    if plies == 1 {
        prop_assert!(after.board.has_four(position.to_move));
        return Ok(());
    }
    for reply in after.moves() {
        let replied = after.play(reply);
        prop_assert!(
            !replied.board.has_four(after.to_move),
            "lost: {:?}",
            position
        );
        let next = replied.choose(Level::Hard.effort()).value;
        let in_time = matches!(next, Value::Win { plies: left } if left + 2 <= plies);
        prop_assert!(in_time, "{:?} after {:?} in {:?}", next, value, position);
        check_the_promise(replied)?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_column_is_legal_and_its_price_within_the_effort(
        position in any_position(0..42),
        effort in any_effort(),
    ) {
        let choice = position.choose(effort);
        prop_assert!(!position.board.is_column_full(choice.column));
        prop_assert!(choice.nodes <= effort.nodes);
        prop_assert!(choice.depth <= effort.depth);
    }

    #[test]
    fn a_win_in_one_move_is_taken(
        position in any_position(6..42).prop_filter("a win", |position| has_win(*position)),
        effort in any_effort(),
    ) {
        let wins = position.wins_of(position.to_move);
        prop_assert!(wins.contains(&position.choose(effort).column));
    }

    #[test]
    fn a_loss_in_one_move_is_blocked(
        position in any_position(6..42).prop_filter("a threat", |position| {
            !has_win(*position) && !position.wins_of(opponent(position.to_move)).is_empty()
        }),
        effort in any_effort(),
    ) {
        let threats = position.wins_of(opponent(position.to_move));
        prop_assert!(threats.contains(&position.choose(effort).column));
    }

    #[test]
    fn the_opponent_is_not_given_a_win_in_one_move_that_can_be_avoided(
        position in any_position(6..42).prop_filter("a danger that can be avoided", |position| {
            let safe = position.moves().filter(|column| !has_win(position.play(*column)));
            !has_win(*position) && (1..position.moves().count()).contains(&safe.count())
        }),
        effort in any_effort(),
    ) {
        prop_assert!(!has_win(position.play(position.choose(effort).column)));
    }

    #[test]
    fn the_choice_depends_on_nothing_but_the_position_and_the_effort(
        position in any_position(0..42),
        other in any_position(0..42),
        effort in any_effort(),
    ) {
        let choice = position.choose(effort);
        position.mirrored().choose(effort);
        other.choose(effort);
        prop_assert_eq!(position.choose(effort), choice);
        let elsewhere = thread::spawn(move || position.choose(effort));
        prop_assert_eq!(elsewhere.join().expect("no panic"), choice);
    }

    #[test]
    fn a_mirrored_position_has_the_same_value(position in any_position(0..42), depth in 1..=4u8) {
        let effort = Effort { depth, ..UNLIMITED };
        prop_assert_eq!(position.mirrored().choose(effort).value, position.choose(effort).value);
    }
}

#[test]
fn a_game_that_is_over_has_no_move() {
    let won = Position::after("ABABABA").board;
    let tied = Position::after("AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG").board;
    for board in [won, tied] {
        for disc in [Disc::Yellow, Disc::Red] {
            assert_eq!(choose(&board, disc, Level::Normal.effort()), None);
        }
    }
}

#[test]
fn every_level_makes_three_in_a_row_with_both_ends_open() {
    for level in Level::ALL {
        let choice = Position::after("DDEE").choose(level.effort());
        assert!([Column::C, Column::F].contains(&choice.column), "{level}");
        assert_eq!(choice.value, Value::Win { plies: 3 }, "{level}");
    }
}

#[test]
fn the_hardest_level_sees_a_win_that_is_17_plies_away() {
    let choice = Position::after("CCCCCCEEEEE").choose(Level::Hard.effort());
    assert_eq!(choice.value, Value::Win { plies: 17 });
}

#[test]
fn more_effort_sees_further() {
    let position = Position::after("DCDD");
    let [easy, normal] = [Level::Easy, Level::Normal].map(|level| position.choose(level.effort()));
    assert!(easy.depth < normal.depth);
    assert!(easy.nodes < normal.nodes);
}

#[test]
fn an_interrupted_search_chooses_the_best_move_of_the_last_complete_one() {
    let position = Position::after("DCDD");
    let complete = position.choose(Effort {
        depth: 4,
        ..UNLIMITED
    });
    let interrupted = position.choose(Effort {
        nodes: complete.nodes + 1,
        ..UNLIMITED
    });
    assert_eq!(interrupted.depth, complete.depth);
    assert_eq!(interrupted.column, complete.column);
}

#[test]
fn the_stronger_level_wins_from_both_seats() {
    assert_eq!(winner(Level::Normal, Level::Easy), Some(Disc::Yellow));
    assert_eq!(winner(Level::Easy, Level::Normal), Some(Disc::Red));
}

/// The winner of the game that two levels play.
fn winner(yellow: Level, red: Level) -> Option<Disc> {
    let mut position = Position::START;
    loop {
        let level = match position.to_move {
            Disc::Yellow => yellow,
            Disc::Red => red,
        };
        position = position.play(position.choose(level.effort()).column);
        let moved = opponent(position.to_move);
        if position.board.has_four(moved) {
            return Some(moved);
        }
        if position.board.is_full() {
            return None;
        }
    }
}

fn has_win(position: Position) -> bool {
    !position.wins_of(position.to_move).is_empty()
}

/// A position with this many discs, in which the game is not over. Careless players only avoid
/// to end the game; most of their positions have a win in one move. Careful ones also avoid that
/// the opponent can end it.
fn any_position(discs: Range<usize>) -> impl Strategy<Value = Position> {
    prop_oneof![careless_position(discs.clone()), careful_position(discs)]
}

fn careless_position(discs: Range<usize>) -> impl Strategy<Value = Position> {
    position_reached_by(discs, |_| true)
}

fn careful_position(discs: Range<usize>) -> impl Strategy<Value = Position> {
    position_reached_by(discs, |position| !has_win(position))
}

/// A position that is reached without ending the game and by moves that lead to such positions
/// only.
fn position_reached_by(
    discs: Range<usize>,
    is_chosen: fn(Position) -> bool,
) -> impl Strategy<Value = Position> {
    vec(any::<Index>(), discs).prop_filter_map("the players come so far", move |choices| {
        choices
            .into_iter()
            .try_fold(Position::START, |position, choice| {
                let next: Vec<_> = position
                    .moves()
                    .map(|column| position.play(column))
                    .filter(|next| !next.board.is_decided() && is_chosen(*next))
                    .collect();
                (!next.is_empty()).then(|| *choice.get(&next))
            })
    })
}

/// Any effort that does not take long, even none.
fn any_effort() -> impl Strategy<Value = Effort> {
    let levels = select(vec![Level::Easy.effort(), Level::Normal.effort()]);
    let others = (0..6u8, 0..500u32).prop_map(|(depth, nodes)| Effort { depth, nodes });
    prop_oneof![1 => levels, 3 => others]
}
