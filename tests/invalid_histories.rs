//! Stored events that are not a valid game: the error names the first invalid revision, and the game
//! accepts no more commands.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use connect_four::application::{
    CommandError, CommandHandler, CommandOptions, DecodeError, GameId, GameRepository, LoadError,
    UnreadableReason,
};
use connect_four::domain::{
    Column, Disc, InvalidHistory, MakeMove, PlayerName, Players, StartGame,
};
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use uuid::Uuid;

/// A stored event: its type and its data.
type Stored = (&'static str, &'static str);

const START: Stored = (
    "GameStarted",
    r#"{"player_one": "ada", "player_two": "grace"}"#,
);
const ADA_D: Stored = ("MoveMade", r#"{"player": "ada", "column": "D"}"#);
const GRACE_D: Stored = ("MoveMade", r#"{"player": "grace", "column": "D"}"#);
const MALLORY_D: Stored = ("MoveMade", r#"{"player": "mallory", "column": "D"}"#);
const TIED: Stored = ("GameFinished", r#"{"result": "TIED"}"#);

#[tokio::test]
async fn a_second_start_makes_a_history_invalid() {
    for history in [vec![START, START], vec![START, TIED, START]] {
        let last = history.len() as u64 - 1;
        let reason = unreadable_from(&history, last).await;
        assert_eq!(unexplained(reason), InvalidHistory::StartedTwice);
    }
}

#[tokio::test]
async fn an_event_before_the_start_makes_a_history_invalid() {
    for too_early in [ADA_D, TIED] {
        let reason = unreadable_from(&[too_early, START], 0).await;
        assert_eq!(unexplained(reason), InvalidHistory::BeforeTheStart);
    }
}

#[tokio::test]
async fn an_event_after_the_finish_makes_a_history_invalid() {
    for too_late in [ADA_D, TIED] {
        let reason = unreadable_from(&[START, TIED, too_late, ADA_D], 2).await;
        assert_eq!(unexplained(reason), InvalidHistory::AfterTheFinish);
    }
}

#[tokio::test]
async fn a_seventh_disc_in_a_column_makes_a_history_invalid() {
    let mut history = vec![START];
    history.extend([ADA_D, GRACE_D].repeat(3));
    history.extend([ADA_D, TIED]);
    let reason = unreadable_from(&history, 7).await;
    assert_eq!(unexplained(reason), InvalidHistory::ColumnFull);
}

#[tokio::test]
async fn an_event_of_an_unknown_type_makes_a_history_unreadable() {
    let resigned = ("GameResigned", r#"{"player": "ada"}"#);
    let reason = unreadable_from(&[START, resigned, ADA_D], 1).await;
    assert!(
        matches!(
            &reason,
            UnreadableReason::Undecodable(DecodeError::UnknownType(name)) if name == "GameResigned"
        ),
        "{reason:?}"
    );
}

#[tokio::test]
async fn an_event_with_undecodable_data_makes_a_history_unreadable() {
    for data in [r#"{"player": "ada"}"#, "", "\0\0\0"] {
        let reason = unreadable_from(&[START, ADA_D, ("MoveMade", data)], 2).await;
        assert!(
            matches!(&reason, UnreadableReason::Undecodable(DecodeError::Data(_))),
            "{reason:?}"
        );
    }
}

#[tokio::test]
async fn a_game_without_its_first_events_counts_as_deleted() {
    let memory = stored(&[START, ADA_D, GRACE_D]).await;
    let truncated = Truncated(memory, StreamRevision::new(1));
    let games = GameRepository::new(Arc::new(truncated));
    let loaded = games.load(game()).await;
    let deleted = LoadError::Store(EventStoreError::StreamDeleted {
        stream: game().stream(),
    });
    assert_eq!(
        loaded.map_err(|error| error.to_string()).err(),
        Some(deleted.to_string())
    );
}

#[tokio::test]
async fn a_cached_game_is_reported_when_its_stream_becomes_invalid() {
    let memory = stored(&[START, ADA_D]).await;
    let games = GameRepository::new(Arc::new(memory.clone()));
    games.load(game()).await.expect("it is readable so far");
    append(&memory, Some(1), &[GRACE_D, START]).await;
    for _ in 0..2 {
        let reason = reason_at(games.load(game()).await, 3);
        assert_eq!(unexplained(reason), InvalidHistory::StartedTwice);
    }
}

/// The tutorial's `apply` accepts a disc of any player at any time, and its appends state no expected
/// revision, so such histories exist.
#[tokio::test]
async fn stored_moves_out_of_turn_and_of_other_players_are_readable() {
    let memory = stored(&[START, ADA_D, ADA_D, MALLORY_D]).await;
    let games = Arc::new(GameRepository::new(Arc::new(memory)));
    let loaded = games.load(game()).await.expect("a readable game");
    let discs: Vec<_> = loaded.game.board().discs(Column::D).collect();
    assert_eq!(discs, [Disc::Yellow, Disc::Yellow, Disc::Red]);
    assert_eq!(loaded.game.next_player(), Some(&name("ada")));

    let handler = CommandHandler::new(games);
    let moved = handler
        .make_move(game(), ada_to_d(), &CommandOptions::default())
        .await;
    let moved = moved.expect("player one is next after a stranger");
    assert_eq!(moved.game.revision, Some(StreamRevision::new(4)));
}

/// Checks that every way to load the history reports this revision as the first unreadable one, and
/// that neither a move nor a start is accepted. Returns the reason.
async fn unreadable_from(history: &[Stored], revision: u64) -> UnreadableReason {
    let memory = stored(history).await;
    let games = Arc::new(GameRepository::new(Arc::new(memory.clone())));
    let handler = CommandHandler::new(games.clone());
    let players = Players::new(name("ada"), name("grace")).expect("two players");

    let moved = handler
        .make_move(game(), ada_to_d(), &CommandOptions::default())
        .await;
    reason_at(moved.map_err(load_error), revision);
    let started = handler
        .start_game(game(), StartGame { players }, &CommandOptions::default())
        .await;
    reason_at(started.map_err(load_error), revision);
    reason_at(games.history(game()).await, revision);

    let stream = game().stream();
    let now = memory.read_stream(&stream, StreamRevision::FIRST).await;
    let now = now.expect("memory answers");
    assert_eq!(now.events.len(), history.len(), "nothing was recorded");
    reason_at(games.load(game()).await, revision)
}

fn reason_at<T: std::fmt::Debug>(outcome: Result<T, LoadError>, expected: u64) -> UnreadableReason {
    match outcome {
        Err(LoadError::Unreadable {
            game: id,
            revision,
            reason,
        }) => {
            assert_eq!((id, revision.number()), (game(), expected));
            reason
        }
        other => panic!("it should be unreadable, not {other:?}"),
    }
}

fn load_error(error: CommandError) -> LoadError {
    let CommandError::Load(error) = error else {
        panic!("it should fail to load: {error:?}");
    };
    error
}

fn unexplained(reason: UnreadableReason) -> InvalidHistory {
    let UnreadableReason::InvalidHistory(unexplained) = reason else {
        panic!("it should be an invalid history, not {reason:?}");
    };
    unexplained
}

async fn stored(history: &[Stored]) -> MemoryStore {
    let memory = MemoryStore::new();
    append(&memory, None, history).await;
    memory
}

async fn append(memory: &MemoryStore, last_revision: Option<u64>, events: &[Stored]) {
    let expected = ExpectedRevision::at(last_revision.map(StreamRevision::new));
    let events = events.iter().map(|(event_type, data)| NewEvent {
        id: Uuid::now_v7(),
        event_type: (*event_type).into(),
        data: Bytes::from_static(data.as_bytes()),
        metadata: Bytes::new(),
    });
    memory
        .append(&game().stream(), expected, events.collect())
        .await
        .expect("the stream is where it is expected");
}

fn game() -> GameId {
    GameId::from_uuid(Uuid::from_u128(4))
}

fn name(text: &str) -> PlayerName {
    PlayerName::parse(text).expect("a valid name")
}

fn ada_to_d() -> MakeMove {
    MakeMove {
        player: name("ada"),
        column: Column::D,
    }
}

/// A store whose streams lack the events before a revision. In KurrentDB, setting `$tb` or `$maxCount`
/// of a stream has this effect.
#[derive(Debug)]
struct Truncated(MemoryStore, StreamRevision);

#[async_trait]
impl EventStore for Truncated {
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.0.read_stream(stream, from.max(self.1)).await
    }

    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.0.append(stream, expected, events).await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        self.0.read_all(prefix, after, limit).await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.0.event_at(position).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        self.0.subscribe_all(prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.0.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.0.check().await
    }

    fn location(&self) -> String {
        self.0.location()
    }
}
