//! Test helpers: given these events, when this command, then those events or this rejection.

use super::board::Column;
use super::command::{Command, MakeMove, Resign, StartGame};
use super::decide::decide;
use super::event::{GameEvent, GameResult};
use super::evolve::evolve;
use super::game::Game;
use super::player::{PlayerName, Players};
use super::rejection::Rejection;

/// The game after these events.
pub(super) fn given(events: impl IntoIterator<Item = GameEvent>) -> Given {
    let nothing = Given {
        game: Game::default(),
    };
    events.into_iter().fold(nothing, Given::and)
}

#[derive(Debug)]
pub(super) struct Given {
    game: Game,
}

impl Given {
    pub(super) fn and(self, event: GameEvent) -> Given {
        let game = evolve(self.game, &event);
        Given { game }
    }

    pub(super) fn when(self, command: Command) -> Decided {
        let decision = decide(&self.game, &command);
        Decided { decision }
    }

    pub(super) fn game(self) -> Game {
        self.game
    }
}

#[derive(Debug)]
pub(super) struct Decided {
    decision: Result<Vec<GameEvent>, Rejection>,
}

impl Decided {
    #[track_caller]
    pub(super) fn then<const N: usize>(self, events: [GameEvent; N]) {
        assert_eq!(self.decision, Ok(events.to_vec()));
    }

    #[track_caller]
    pub(super) fn then_rejected(self, rejection: Rejection) {
        assert_eq!(self.decision, Err(rejection));
    }
}

/// Ada has the yellow discs and begins; Grace has the red ones.
pub(super) fn ada_and_grace() -> Players {
    Players::new(name("ada"), name("grace")).expect("two players")
}

pub(super) fn name(text: &str) -> PlayerName {
    PlayerName::parse(text).expect("a valid name")
}

pub(super) fn start(players: Players) -> Command {
    Command::StartGame(StartGame { players })
}

pub(super) fn move_by(player: &str, column: Column) -> Command {
    Command::MakeMove(MakeMove {
        player: name(player),
        column,
    })
}

pub(super) fn resignation_of(player: &str) -> Command {
    let player = name(player);
    Command::Resign(Resign { player })
}

pub(super) fn started() -> GameEvent {
    let Players { one, two } = ada_and_grace();
    GameEvent::GameStarted {
        player_one: one,
        player_two: two,
    }
}

pub(super) fn moved(player: &str, column: Column) -> GameEvent {
    GameEvent::MoveMade {
        player: name(player),
        column,
    }
}

pub(super) fn finished(result: GameResult) -> GameEvent {
    GameEvent::GameFinished { result }
}

/// The start and then the moves in turn, Ada first. Columns are written like `"DDE"`.
pub(super) fn played(columns: &str) -> Vec<GameEvent> {
    let players = ["ada", "grace"].into_iter().cycle();
    let moves = players.zip(columns.chars()).map(|(player, letter)| {
        let column = letter.to_string().parse().expect("a column");
        moved(player, column)
    });
    [started()].into_iter().chain(moves).collect()
}
