//! Event ids that are computed from the command, so that a repeated append changes nothing.
//!
//! The store recognises a repeated append by these ids. A start, a command with a key, and one decided at
//! the revision that its client named, get the same ids at every attempt, also after a restart and at
//! another replica: UUIDs of version 5 (RFC 9562, 5.5) in the namespace of the game. Any other command gets
//! the same ids at every attempt of one process only: when a process decides on a game that it remembers,
//! the same move of an earlier turn, made at another replica, must not look like a repetition.

use std::hash::{BuildHasher, RandomState};

use uuid::{Builder, Uuid};

use super::command_options::CommandOptions;
use super::game_id::GameId;
use super::idempotency_key::IdempotencyKey;
use crate::domain::{Command, PlayerName};
use crate::event_store::ExpectedRevision;

/// The id of one of the events that the command causes when `process` decides it at this revision.
/// `index` counts these events from 0. The ids of a move or a resignation with a key depend neither
/// on the revision nor on the process.
pub(super) fn event_id(
    process: &ProcessIds,
    game: GameId,
    command: &Command,
    options: &CommandOptions,
    decided_at: ExpectedRevision,
    index: usize,
) -> Uuid {
    let is_named = options.precondition.names(decided_at);
    let name = match (command, &options.key) {
        (Command::StartGame(start), _) => {
            // A start causes one event, so it needs no index. The names are written as a JSON array,
            // since they may contain any separator.
            let names = [start.players.one.as_str(), start.players.two.as_str()];
            let start = format!("start:{}", serde_json::json!(names));
            // Starts with different tokens are different commands.
            match &options.seats {
                Some(seats) => format!("{start}:{}", seats.text()),
                None => start,
            }
        }
        (Command::MakeMove(_) | Command::Resign(_), Some(key)) => {
            return keyed_event_id(game, key, index);
        }
        (Command::MakeMove(made), None) if !is_named => {
            let column = made.column.as_str();
            return process.event_id(game, decided_at, index, column, &made.player);
        }
        (Command::Resign(resign), None) if !is_named => {
            return process.event_id(game, decided_at, index, "resign", &resign.player);
        }
        (Command::MakeMove(made), None) => {
            let (player, column) = (made.player.as_str(), made.column.as_str());
            let (revision, index) = (number(decided_at), index.to_string());
            ["rev:", &revision, ":", player, ":", column, ":", &index].concat()
        }
        // A resignation causes one event, so it needs no index. No move has the same id, since the
        // prefix differs. The player's name comes last, so it cannot be confused with the revision.
        (Command::Resign(resign), None) => {
            format!("resign:{}:{}", number(decided_at), resign.player)
        }
    };
    Uuid::new_v5(game.as_uuid(), name.as_bytes())
}

/// The ids that no other process has to recognise. No other process can compute them either: they depend on
/// random keys.
#[derive(Debug, Default)]
pub(super) struct ProcessIds([RandomState; 2]);

impl ProcessIds {
    /// A UUID of version 8 (RFC 9562, 5.8): two keyed hashes of its name, which cost less than SHA-1.
    fn event_id(
        &self,
        game: GameId,
        decided_at: ExpectedRevision,
        index: usize,
        what: &str,
        player: &PlayerName,
    ) -> Uuid {
        let revision = decided_at.first_appended().number();
        // One piece, because a hash of many short ones costs as much as SHA-1.
        let mut name = Vec::with_capacity(128);
        name.extend_from_slice(game.as_uuid().as_bytes());
        name.extend_from_slice(&revision.to_le_bytes());
        name.extend_from_slice(&index.to_le_bytes());
        name.extend_from_slice(what.as_bytes());
        name.push(b':');
        name.extend_from_slice(player.as_str().as_bytes());
        let [high, low] = &self.0;
        let pair = Uuid::from_u64_pair(high.hash_one(&name[..]), low.hash_one(&name[..]));
        Builder::from_custom_bytes(pair.into_bytes()).into_uuid()
    }
}

fn number(decided_at: ExpectedRevision) -> String {
    match decided_at {
        ExpectedRevision::Exact(revision) => revision.number().to_string(),
        ExpectedRevision::NoStream => String::new(),
    }
}

/// The id of one of the events of a move or a resignation with this key. `index` counts from 0.
pub(super) fn keyed_event_id(game: GameId, key: &IdempotencyKey, index: usize) -> Uuid {
    let name = format!("key:{}:{index}", key.as_str());
    Uuid::new_v5(game.as_uuid(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Column, MakeMove, Players, Resign, StartGame};
    use crate::event_store::StreamRevision;

    const GAME: &str = "5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77";

    fn name(name: &str) -> PlayerName {
        PlayerName::parse(name).expect("a valid name")
    }

    /// The id for a client that names this revision.
    fn move_id(game: &str, player: &str, column: Column, revision: u64, index: usize) -> Uuid {
        let (process, named) = (ProcessIds::default(), at_revision(revision));
        move_id_by(&process, &named, game, player, column, revision, index)
    }

    fn move_id_by(
        process: &ProcessIds,
        options: &CommandOptions,
        game: &str,
        player: &str,
        column: Column,
        revision: u64,
        index: usize,
    ) -> Uuid {
        let command = Command::MakeMove(MakeMove {
            player: name(player),
            column,
        });
        let at = ExpectedRevision::Exact(StreamRevision::new(revision));
        let game = game.parse().expect("an id");
        event_id(process, game, &command, options, at, index)
    }

    fn at_revision(revision: u64) -> CommandOptions {
        let mut options = CommandOptions::default();
        options.precondition.expected = Some(StreamRevision::new(revision));
        options
    }

    fn start_id(one: &str, two: &str) -> Uuid {
        let players = Players::new(name(one), name(two)).expect("two players");
        let command = Command::StartGame(StartGame { players });
        let game = GAME.parse().expect("an id");
        event_id(
            &ProcessIds::default(),
            game,
            &command,
            &CommandOptions::default(),
            ExpectedRevision::NoStream,
            0,
        )
    }

    /// Computed with Python's `uuid.uuid5`. Other replicas and later versions must compute the same.
    #[test]
    fn ids_never_change() {
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
    fn the_ids_of_a_move_with_a_key_depend_on_the_key_alone() {
        let key = "b1946ac9-2f3e-4c5d-8a7b-6c5d4e3f2a1b";
        let key: IdempotencyKey = key.parse().expect("a key");
        let options = CommandOptions {
            key: Some(key),
            ..CommandOptions::default()
        };
        let game = GAME.parse().expect("an id");
        for (index, id) in [
            "4a3ed5dc-46e1-5aa1-ae52-af8a93b3f550",
            "094885c3-0ef1-57ab-9f4f-3b1368059848",
        ]
        .into_iter()
        .enumerate()
        {
            for revision in [3, 5] {
                let at = ExpectedRevision::Exact(StreamRevision::new(revision));
                let command = Command::MakeMove(MakeMove {
                    player: name("alice"),
                    column: Column::D,
                });
                let made = event_id(&ProcessIds::default(), game, &command, &options, at, index);
                assert_eq!(made.to_string(), id);
            }
        }
    }

    #[test]
    fn a_resignation_has_an_id_that_no_move_can_have() {
        let game = GAME.parse().expect("an id");
        let resignation_of = |player, revision| {
            let at = ExpectedRevision::Exact(StreamRevision::new(revision));
            let player = name(player);
            event_id(
                &ProcessIds::default(),
                game,
                &Command::Resign(Resign { player }),
                &at_revision(revision),
                at,
                0,
            )
        };
        assert_eq!(
            resignation_of("alice", 3).to_string(),
            "2d122e43-5a74-5b66-8e58-c82010c9a1e7"
        );
        let id = resignation_of("bob:D:0", 3);
        for player in ["resign:bob", "resign", "3:resign:bob", "bob"] {
            assert_ne!(move_id(GAME, player, Column::D, 3, 0), id);
        }
        assert_ne!(resignation_of("bob:D:0", 4), id);
        assert_ne!(resignation_of("3:a", 3), resignation_of("a", 33));
    }

    #[test]
    fn only_a_named_revision_gives_a_move_the_same_ids_in_every_process() {
        let (one, two) = (ProcessIds::default(), ProcessIds::default());
        let id_of = |process, named: Option<u64>| {
            let options = named.map(at_revision).unwrap_or_default();
            move_id_by(process, &options, GAME, "alice", Column::D, 3, 0)
        };
        assert_eq!(id_of(&one, Some(3)), id_of(&two, Some(3)));
        for named in [None, Some(2), Some(4)] {
            assert_eq!(id_of(&one, named), id_of(&one, named));
            assert_ne!(id_of(&one, named), id_of(&two, named));
            assert_ne!(id_of(&one, named), id_of(&one, Some(3)));
        }
    }

    #[test]
    fn another_move_has_another_id() {
        let process = ProcessIds::default();
        let other_game = GAME.replace('5', "6");
        for named in [true, false] {
            let id_of = |game: &str, player, column, revision, index| {
                let options = match named {
                    true => at_revision(revision),
                    false => CommandOptions::default(),
                };
                move_id_by(&process, &options, game, player, column, revision, index)
            };
            let id = id_of(GAME, "alice", Column::D, 3, 0);
            for other in [
                id_of(&other_game, "alice", Column::D, 3, 0),
                id_of(GAME, "bob", Column::D, 3, 0),
                id_of(GAME, "alice", Column::E, 3, 0),
                id_of(GAME, "alice", Column::D, 4, 0),
                id_of(GAME, "alice", Column::D, 3, 1),
            ] {
                assert_ne!(id, other);
            }
        }
    }

    #[test]
    fn names_with_separators_are_not_confused() {
        assert_ne!(start_id("a\",\"b", "c"), start_id("a", "b\",\"c"));
        assert_ne!(start_id("a:b", "c"), start_id("a", "b:c"));
    }
}
