//! Games and events as the service sends them.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::{Board, Column, Disc, GameResult, PlayerName, Players};

/// A game at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "openapi.yaml says what each member is")]
pub struct Game {
    pub id: Uuid,
    pub revision: u64,
    pub player_one: PlayerName,
    pub player_two: PlayerName,
    pub next_player: Option<PlayerName>,
    pub result: Option<GameResult>,
    #[serde(deserialize_with = "board")]
    pub board: Board,
    pub last_move: Option<LastMove>,
    pub winning_line: Option<Vec<String>>,
    #[serde(default)]
    pub protected: bool,
}

/// The latest move of a game.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "openapi.yaml says what each member is")]
pub struct LastMove {
    pub number: u32,
    pub player: PlayerName,
    pub column: Column,
    pub row: u8,
}

impl Game {
    /// The two players; the first one made the first move.
    pub fn players(&self) -> [&PlayerName; 2] {
        [&self.player_one, &self.player_two]
    }

    /// The name of this player as the game has it, which may differ from the given name in its
    /// Unicode normalization; `None` if the player does not play in this game.
    pub fn find_player(&self, name: &str) -> Option<PlayerName> {
        let players = Players {
            one: self.player_one.clone(),
            two: self.player_two.clone(),
        };
        players.find(&PlayerName::recorded(name)).cloned()
    }
}

/// Something that happened in a game.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "openapi.yaml says what each member is")]
pub struct Event {
    pub revision: u64,
    #[serde(rename = "type")]
    pub event_type: String,
    pub data: Value,
    #[serde(default)]
    pub metadata: Value,
}

impl Event {
    /// Whether this is the last event of its game.
    pub fn ends_game(&self) -> bool {
        self.event_type == "GameFinished"
    }
}

/// Builds the board by dropping the discs of each column again, from the bottom up.
fn board<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Board, D::Error> {
    let columns = HashMap::<Column, Vec<Disc>>::deserialize(deserializer)?;
    columns
        .into_iter()
        .flat_map(|(column, discs)| discs.into_iter().map(move |disc| (column, disc)))
        .try_fold(Board::EMPTY, |board, (column, disc)| {
            Some(board.drop_disc(column, disc)?.0)
        })
        .ok_or_else(|| serde::de::Error::custom("a column has more than six discs"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_board_is_read_from_its_columns() {
        let mut answer = json!({
            "id": "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12", "revision": 2,
            "player_one": "alice", "player_two": "bob", "next_player": "alice",
            "is_finished": false, "result": null,
            "board": {"A": [], "B": ["YELLOW", "RED"]},
            "legal_columns": ["A", "B"],
            "last_move": {"number": 2, "player": "bob", "column": "B", "row": 2, "disc": "RED"},
            "winning_line": null, "unknown_member": 1,
        });
        let game: Game = serde_json::from_value(answer.clone()).expect("a game");
        let discs: Vec<_> = game.board.discs(Column::B).collect();
        assert_eq!(discs, [Disc::Yellow, Disc::Red]);

        answer["board"]["A"] = json!(["RED"; 7].to_vec());
        assert!(serde_json::from_value::<Game>(answer).is_err());
    }
}
