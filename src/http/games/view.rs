//! The JSON of games and moves. It depends only on a prefix of the game's stream, not on a clock or a random
//! value, so a repeated request gets the same bytes.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::prepared_json;
use crate::application::{GameAtRevision, GameId, HistoricEvent, resulting_place};
use crate::domain::{Board, Column, Disc, GameEvent, GameResult, Move, PlayerName};
use crate::event_store::StreamRevision;

/// A game at a revision.
#[derive(Debug, Serialize)]
pub(crate) struct GameView<'a> {
    #[serde(serialize_with = "as_text")]
    id: GameId,
    revision: u64,
    player_one: &'a PlayerName,
    player_two: &'a PlayerName,
    next_player: Option<&'a PlayerName>,
    is_finished: bool,
    result: Option<GameResult>,
    board: BoardView,
    legal_columns: &'static RawValue,
    last_move: Option<LastMoveView<'a>>,
    winning_line: Option<Vec<String>>,
    protected: bool,
}

impl<'a> GameView<'a> {
    /// The JSON of a loaded game; `None` if there is no game.
    pub(crate) fn of(id: GameId, loaded: &'a GameAtRevision) -> Option<GameView<'a>> {
        let game = &loaded.game;
        let players = game.players()?;
        let winning_line = game.winning_line();
        Some(GameView {
            id,
            revision: loaded.revision?.number(),
            player_one: &players.one,
            player_two: &players.two,
            next_player: game.next_player(),
            is_finished: game.result().is_some(),
            result: game.result(),
            board: BoardView(game.board()),
            legal_columns: prepared_json::columns(&game.legal_columns()),
            last_move: game.last_move().map(LastMoveView::of),
            winning_line: (!winning_line.is_empty())
                .then(|| winning_line.iter().map(ToString::to_string).collect()),
            protected: loaded.seats.is_some(),
        })
    }
}

/// Columns by letter, each from the bottom up.
#[derive(Debug)]
struct BoardView(Board);

impl Serialize for BoardView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut columns = serializer.serialize_map(Some(Column::ALL.len()))?;
        for column in Column::ALL {
            columns.serialize_entry(column.as_str(), prepared_json::discs(&self.0, column))?;
        }
        columns.end()
    }
}

#[derive(Debug, Serialize)]
struct LastMoveView<'a> {
    number: u32,
    player: &'a PlayerName,
    column: Column,
    row: u8,
    disc: Disc,
}

impl<'a> LastMoveView<'a> {
    fn of(last: &'a Move) -> LastMoveView<'a> {
        LastMoveView {
            number: last.number,
            player: &last.player,
            column: last.column,
            row: last.row.number(),
            disc: last.disc,
        }
    }
}

/// A move, with the events that recorded it.
#[derive(Debug, Serialize)]
pub(crate) struct MoveView<'a> {
    #[serde(flatten)]
    last_move: LastMoveView<'a>,
    revision: u64,
    resulting_revision: u64,
}

impl<'a> MoveView<'a> {
    /// The moves of the history, in order.
    pub(crate) fn all(history: &'a [HistoricEvent]) -> impl Iterator<Item = MoveView<'a>> {
        history.iter().enumerate().filter_map(|(index, historic)| {
            let GameEvent::MoveMade { .. } = historic.event else {
                return None;
            };
            let revision = historic.recorded.revision.number();
            Some(MoveView {
                last_move: LastMoveView::of(historic.game.last_move()?),
                revision,
                resulting_revision: resulting_place(history, index) as u64,
            })
        })
    }

    /// The revision of the game after the move.
    pub(crate) fn resulting_revision(&self) -> StreamRevision {
        StreamRevision::new(self.resulting_revision)
    }
}

/// Every move of a game.
#[derive(Debug, Serialize)]
pub(crate) struct MovesView<'a> {
    /// The revision of the game that the list shows.
    pub(crate) revision: u64,
    /// In the order in which they were made.
    pub(crate) moves: Vec<MoveView<'a>>,
}

fn as_text<S: Serializer>(id: &GameId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.write(&mut Uuid::encode_buffer()))
}
