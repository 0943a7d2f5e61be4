//! Event ids that follow from what was asked, so that asking again changes nothing.
//!
//! Every id is a UUID of version 5 (RFC 9562, 5.5) in the namespace of its game. The same
//! command, decided on at the same revision, gets the same ids in every attempt, after a
//! restart and at another replica; the store recognises the repetition by them.

use uuid::Uuid;

use super::game_id::GameId;
use crate::domain::Command;
use crate::event_store::ExpectedRevision;

/// The id of the event with this index among those that the command causes when it is
/// decided on at this revision.
pub(super) fn event_id(
    game: GameId,
    command: &Command,
    decided_at: ExpectedRevision,
    index: usize,
) -> Uuid {
    let name = match command {
        Command::StartGame(start) => {
            // A start is one event, so there is no index. The names go in as a JSON array,
            // since they may contain any separator.
            let names = [start.players.one.as_str(), start.players.two.as_str()];
            format!("start:{}", serde_json::json!(names))
        }
        Command::MakeMove(asked) => {
            let revision = match decided_at {
                ExpectedRevision::Exact(revision) => revision.to_string(),
                ExpectedRevision::NoStream => String::new(),
            };
            format!("rev:{revision}:{}:{}:{index}", asked.player, asked.column)
        }
    };
    Uuid::new_v5(game.as_uuid(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Column, MakeMove, PlayerName, Players, StartGame};
    use crate::event_store::StreamRevision;

    const GAME: &str = "5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77";

    fn name(name: &str) -> PlayerName {
        PlayerName::parse(name).expect("a valid name")
    }

    fn move_id(game: &str, player: &str, column: Column, revision: u64, index: usize) -> Uuid {
        let command = Command::MakeMove(MakeMove {
            player: name(player),
            column,
        });
        let at = ExpectedRevision::Exact(StreamRevision::new(revision));
        event_id(game.parse().expect("an id"), &command, at, index)
    }

    fn start_id(one: &str, two: &str) -> Uuid {
        let players = Players::new(name(one), name(two)).expect("two players");
        let command = Command::StartGame(StartGame { players });
        let game = GAME.parse().expect("an id");
        event_id(game, &command, ExpectedRevision::NoStream, 0)
    }

    /// Made with Python's `uuid.uuid5`: other replicas and later versions must agree.
    #[test]
    fn ids_are_the_same_for_ever() {
        assert_eq!(
            move_id(GAME, "alice", Column::D, 3, 0).to_string(),
            "8e788be9-8d3e-53c7-a8eb-897052c24b35"
        );
        assert_eq!(
            start_id("alice", "bob").to_string(),
            "34844d0f-135d-51f3-bcb6-3483b1195515"
        );
    }

    #[test]
    fn another_move_has_another_id() {
        let id = move_id(GAME, "alice", Column::D, 3, 0);
        let other_game = GAME.replace('5', "6");
        for other in [
            move_id(&other_game, "alice", Column::D, 3, 0),
            move_id(GAME, "bob", Column::D, 3, 0),
            move_id(GAME, "alice", Column::E, 3, 0),
            move_id(GAME, "alice", Column::D, 4, 0),
            move_id(GAME, "alice", Column::D, 3, 1),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn names_with_separators_are_not_confused() {
        assert_ne!(start_id("a\",\"b", "c"), start_id("a", "b\",\"c"));
        assert_ne!(start_id("a:b", "c"), start_id("a", "b:c"));
    }
}
