//! The JSON of games and moves. It depends only on a prefix of the game's stream, not on a clock or a random
//! value, so a repeated request gets the same bytes.

use serde::Serialize;

use super::prepared_json;
use crate::application::{GameAtRevision, HistoricEvent, resulting_place};
use crate::domain::{Column, Disc, GameEvent, Move, PlayerName};
use crate::event_store::StreamRevision;

/// The JSON of a loaded game; `None` if the game does not exist. The names of the members are prepared, because
/// a serializer would look for characters to escape in each of them.
pub(crate) fn game_json(id: &str, loaded: &GameAtRevision) -> Option<Vec<u8>> {
    let game = &loaded.game;
    let players = game.players()?;
    let result = game.result();
    // A game with a full board takes about 800 bytes.
    let mut json = Vec::with_capacity(1000);
    word(&mut json, r#"{"id":"#, id);
    member(&mut json, r#","revision":"#, &loaded.revision?.number());
    member(&mut json, r#","player_one":"#, &players.one);
    member(&mut json, r#","player_two":"#, &players.two);
    member(&mut json, r#","next_player":"#, &game.next_player());
    member(&mut json, r#","is_finished":"#, &result.is_some());
    member(&mut json, r#","result":"#, &result);
    prepared(&mut json, r#","board":{"#);
    for column in Column::ALL {
        prepared(&mut json, prepared_json::discs(game.board(), column));
    }
    prepared(&mut json, r#"},"legal_columns":"#);
    prepared(&mut json, prepared_json::columns(game.legal_columns()));
    match game.last_move() {
        Some(last) => {
            member(&mut json, r#","last_move":{"number":"#, &last.number);
            member(&mut json, r#","player":"#, &last.player);
            word(&mut json, r#","column":"#, last.column.as_str());
            member(&mut json, r#","row":"#, &last.row);
            word(&mut json, r#","disc":"#, last.disc.as_str());
            prepared(&mut json, "}");
        }
        None => prepared(&mut json, r#","last_move":null"#),
    }
    let line = game.winning_line();
    let line = (!line.is_empty()).then(|| line.iter().map(ToString::to_string).collect::<Vec<_>>());
    member(&mut json, r#","winning_line":"#, &line);
    member(&mut json, r#","protected":"#, &loaded.seats.is_some());
    prepared(&mut json, "}");
    Some(json)
}

fn prepared(json: &mut Vec<u8>, text: &str) {
    json.extend_from_slice(text.as_bytes());
}

/// Writes a member whose value has no characters to escape.
fn word(json: &mut Vec<u8>, name: &str, value: &str) {
    prepared(json, name);
    prepared(json, "\"");
    prepared(json, value);
    prepared(json, "\"");
}

/// Writes a member. `name` is JSON, with all that comes between the values.
pub(super) fn member(json: &mut Vec<u8>, name: &str, value: &(impl Serialize + ?Sized)) {
    prepared(json, name);
    serde_json::to_writer(json, value).expect("names and numbers can be encoded as JSON");
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::games::testing::played;

    /// A game between `al"ice` and `bob`, with these moves made in turns.
    fn game(columns: &str) -> GameAtRevision {
        let (game, revision) = played(["al\"ice", "bob"], columns);
        GameAtRevision {
            game,
            revision: Some(revision),
            ..GameAtRevision::default()
        }
    }

    const ID: &str = "5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77";

    #[track_caller]
    fn assert_shown(loaded: &GameAtRevision, expected: &Value) {
        let json = game_json(ID, loaded).expect("a game");
        let json = String::from_utf8(json).expect("text");
        assert_eq!(json, expected.to_string());
    }

    #[test]
    fn a_game_has_all_members_in_the_documented_order() {
        let (y, r) = ("YELLOW", "RED");
        assert_shown(
            &game("DDC"),
            &json!({
                "id": ID,
                "revision": 3,
                "player_one": "al\"ice",
                "player_two": "bob",
                "next_player": "bob",
                "is_finished": false,
                "result": null,
                "board": {
                    "A": [], "B": [], "C": [y], "D": [y, r], "E": [], "F": [], "G": [],
                },
                "legal_columns": ["A", "B", "C", "D", "E", "F", "G"],
                "last_move": {
                    "number": 3, "player": "al\"ice", "column": "C", "row": 1, "disc": y,
                },
                "winning_line": null,
                "protected": false,
            }),
        );
        assert_shown(
            &game("AGAGAGA"),
            &json!({
                "id": ID,
                "revision": 8,
                "player_one": "al\"ice",
                "player_two": "bob",
                "next_player": null,
                "is_finished": true,
                "result": "PLAYER_ONE_WON",
                "board": {
                    "A": [y, y, y, y], "B": [], "C": [], "D": [], "E": [], "F": [], "G": [r, r, r],
                },
                "legal_columns": [],
                "last_move": {
                    "number": 7, "player": "al\"ice", "column": "A", "row": 4, "disc": y,
                },
                "winning_line": ["A1", "A2", "A3", "A4"],
                "protected": false,
            }),
        );
    }

    #[test]
    fn the_last_move_has_the_colour_of_its_player() {
        for (columns, disc) in [("D", "YELLOW"), ("DD", "RED")] {
            let json = game_json(ID, &game(columns)).expect("a game");
            let shown: Value = serde_json::from_slice(&json).expect("JSON");
            assert_eq!(shown["last_move"]["disc"], disc);
        }
    }

    #[test]
    fn a_game_without_moves_has_no_last_move() {
        let json = game_json(ID, &game("")).expect("a game");
        let shown: Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(shown["last_move"], Value::Null);
        assert_eq!(game_json(ID, &GameAtRevision::default()), None);
    }
}
