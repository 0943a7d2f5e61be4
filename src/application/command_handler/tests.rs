//! Commands on a store whose appends lose races on demand.

use super::*;
use crate::application::seats::{PlayerTokens, Seats};
use crate::application::testing::{RacingStore, game, handler};
use crate::domain::{Column, PlayerName, Players};
use crate::event_store::{MemoryStore, StreamRevision};

#[tokio::test]
async fn a_game_is_started_and_played() {
    let handler = handler(MemoryStore::new());
    let started = start(&handler).await.expect("a new game");
    assert_eq!(started.game.revision, Some(StreamRevision::FIRST));
    let moved = handler
        .make_move(game(), ada_to(Column::D), &CommandOptions::default())
        .await;
    assert_eq!(revision(moved), 1);
    let moved = handler
        .make_move(game(), grace_to(Column::D), &CommandOptions::default())
        .await;
    assert_eq!(revision(moved), 2);
}

#[tokio::test]
async fn a_rejection_contains_the_revision_of_the_game() {
    let handler = handler(MemoryStore::new());
    let too_early = handler
        .make_move(game(), ada_to(Column::D), &CommandOptions::default())
        .await;
    assert!(matches!(
        too_early,
        Err(CommandError::Rejected {
            rejection: Rejection::GameNotStarted,
            revision: None,
        })
    ));
    start(&handler).await.expect("a new game");
    handler
        .make_move(game(), ada_to(Column::D), &CommandOptions::default())
        .await
        .expect("her turn");
    assert_eq!(
        refused_turn(
            handler
                .make_move(game(), ada_to(Column::D), &CommandOptions::default())
                .await
        ),
        1
    );
}

/// So a client that did not receive the answer can send the start again; see `application::event_id`.
#[tokio::test]
async fn a_repeated_start_changes_nothing_and_a_different_start_is_refused() {
    let handler = handler(MemoryStore::new());
    assert_eq!(revision(start(&handler).await), 0);
    assert_eq!(revision(start(&handler).await), 0);
    let swapped = Players::new(name("grace"), name("ada")).expect("two players");
    let options = CommandOptions::default();
    let refused = handler.start_game(game(), StartGame { players: swapped }, &options);
    assert!(matches!(
        refused.await,
        Err(CommandError::Rejected {
            rejection: Rejection::GameAlreadyStarted { .. },
            ..
        })
    ));
}

#[tokio::test]
async fn after_a_lost_race_the_command_is_decided_again() {
    let store = started_store().await;
    store.next_rivals([vec![ada_to(Column::C), grace_to(Column::C)]]);
    let handler = handler(store.clone());
    let moved = handler
        .make_move(game(), ada_to(Column::D), &CommandOptions::default())
        .await;
    assert_eq!(revision(moved), 3);
    assert_eq!(store.appends(), 2);
}

#[tokio::test]
async fn after_a_lost_race_the_command_may_be_refused() {
    let store = started_store().await;
    store.next_rivals([vec![ada_to(Column::C)]]);
    let handler = handler(store.clone());
    let refused = handler
        .make_move(game(), ada_to(Column::D), &CommandOptions::default())
        .await;
    assert_eq!(refused_turn(refused), 1);
    assert_eq!(store.appends(), 1);
}

#[tokio::test]
async fn a_command_succeeds_after_five_lost_races() {
    let store = started_store().await;
    store.next_rivals(vec![vec![]; 5]);
    let handler = handler(store.clone());
    let moved = handler
        .make_move(game(), ada_to(Column::D), &CommandOptions::default())
        .await;
    assert_eq!(revision(moved), 1);
    assert_eq!(store.appends(), 6);
}

#[tokio::test]
async fn six_lost_races_are_contention() {
    let store = started_store().await;
    store.next_rivals(vec![vec![]; 6]);
    let handler = handler(store.clone());
    let moved = handler
        .make_move(game(), ada_to(Column::D), &CommandOptions::default())
        .await;
    assert!(matches!(moved, Err(CommandError::Contention)), "{moved:?}");
    assert_eq!(store.appends(), 6);
}

#[tokio::test]
async fn a_cached_game_is_never_stale() {
    let store = MemoryStore::new();
    let (one, other) = (handler(store.clone()), handler(store));
    start(&one).await.expect("a new game");
    for (number, column) in (0..).zip([Column::A, Column::B, Column::C, Column::E]) {
        let moved = one
            .make_move(game(), ada_to(column), &CommandOptions::default())
            .await;
        assert_eq!(revision(moved), 2 * number + 1);
        let too_late = one
            .make_move(game(), ada_to(column), &CommandOptions::default())
            .await;
        assert_eq!(refused_turn(too_late), 2 * number + 1);
        if column != Column::E {
            let moved = other
                .make_move(game(), grace_to(column), &CommandOptions::default())
                .await;
            assert_eq!(revision(moved), 2 * number + 2);
        }
    }
    let loaded = other.games.load(game()).await.expect("the whole game");
    assert_eq!(loaded.event_ids.len(), 8);
    let history = one.games.history(game()).await.expect("the whole game");
    assert_eq!(history.last().map(|last| &last.game), Some(&loaded.game));
}

#[tokio::test]
async fn a_game_that_was_deleted_is_gone() {
    let store = started_store().await;
    let handler = handler(store.clone());
    handler.games.load(game()).await.expect("a cached game");
    store.delete_everything();
    let loaded = handler.games.load(game()).await.expect("an absent game");
    assert_eq!((&loaded.game, loaded.revision), (&Default::default(), None));
}

#[tokio::test]
async fn a_game_that_was_deleted_and_started_again_is_the_new_one_while_it_is_shorter() {
    for moves in 0..2 {
        let store = started_store().await;
        let caching = handler(store.clone());
        for asked in [ada_to(Column::D), grace_to(Column::D)] {
            caching
                .make_move(game(), asked, &CommandOptions::default())
                .await
                .expect("a move");
        }
        store.delete_everything();
        let unaware = handler(store.clone());
        start(&unaware).await.expect("a new game");
        let others = [ada_to(Column::A), grace_to(Column::B)].into_iter().cycle();
        for asked in others.take(moves) {
            unaware
                .make_move(game(), asked, &CommandOptions::default())
                .await
                .expect("a move");
        }
        let expected = unaware.games.load(game()).await.expect("the new game");
        let loaded = caching.games.load(game()).await.expect("the new game");
        assert_eq!(loaded.game, expected.game, "{moves} moves");
        assert_eq!(loaded.event_ids, expected.event_ids);
    }
}

/// A handler of a process that hears of everything, and has a new game in its cache.
async fn remembering(store: &RacingStore) -> Arc<CommandHandler> {
    let handler = Arc::new(handler(store.clone()));
    handler.games.follow(true);
    start(&handler).await.expect("a new game");
    handler
}

async fn make(handler: &CommandHandler, asked: MakeMove) -> Result<Handled, CommandError> {
    let options = CommandOptions::default();
    handler.make_move(game(), asked, &options).await
}

#[tokio::test]
async fn a_game_that_is_forgotten_during_a_call_is_not_remembered_by_its_answer() {
    for is_append in [true, false] {
        let store = RacingStore::default();
        let handler = remembering(&store).await;
        let held = store.hold_next_answer();
        let calling = tokio::spawn({
            let handler = handler.clone();
            async move {
                match is_append {
                    true => drop(make(&handler, ada_to(Column::D)).await),
                    false => drop(handler.games.history(game()).await),
                }
            }
        });
        held.wait().await;
        handler.games.forget(game());
        held.wait().await;
        calling.await.expect("no panic");
        assert!(handler.games.remembered(game()).is_none(), "{is_append}");
    }
}

#[tokio::test]
async fn a_game_that_is_forgotten_between_a_decision_and_its_append_is_not_remembered() {
    let store = RacingStore::default();
    let games = remembering(&store).await.games.clone();
    let decided_on = games.remembered(game()).expect("a game");
    let command = Command::MakeMove(ada_to(Column::D));
    let events = decide(&decided_on.game, &command).expect("a legal move");
    games.forget(game());
    let options = CommandOptions::default();
    let appended = games.append(game(), decided_on, &command, &options, events);
    appended.await.expect("the stream is still there");
    assert!(games.remembered(game()).is_none());
}

/// The cache gets an outdated game from a read that takes long.
#[tokio::test]
async fn the_same_move_as_in_an_earlier_turn_is_a_new_move_even_if_an_outdated_game_is_remembered()
{
    let store = RacingStore::default();
    let handler = remembering(&store).await;
    let held = store.hold_next_answer();
    let reading = tokio::spawn({
        let handler = handler.clone();
        async move { handler.games.history(game()).await }
    });
    held.wait().await;
    for asked in [ada_to(Column::D), grace_to(Column::D)] {
        make(&handler, asked).await.expect("a move");
    }
    held.wait().await;
    reading.await.expect("no panic").expect("a game");
    let remembered = handler.games.remembered(game());
    let remembered = remembered.expect("a game").revision;
    assert_eq!(remembered, Some(StreamRevision::FIRST));
    assert_eq!(revision(make(&handler, ada_to(Column::D)).await), 3);
}

#[tokio::test]
async fn a_command_that_this_process_decided_needs_no_token_and_acts_for_one_player_only() {
    let handler = handler(MemoryStore::new());
    let tokens = PlayerTokens::generate().expect("a random source");
    let seats = CommandOptions {
        seats: Some(Seats::from(&tokens)),
        ..CommandOptions::default()
    };
    let players = Players::new(name("ada"), name("grace")).expect("two players");
    let started = handler.start_game(game(), StartGame { players }, &seats);
    started.await.expect("a new game");
    let with = |authority| CommandOptions {
        authority,
        ..CommandOptions::default()
    };
    let by_ada = async |authority| {
        let options = with(authority);
        handler.make_move(game(), ada_to(Column::D), &options).await
    };
    let refused = by_ada(Authority::Token).await;
    assert!(matches!(refused, Err(CommandError::TokenRequired)));
    let refused = by_ada(Authority::Player(name("grace"))).await;
    assert!(matches!(refused, Err(CommandError::NotYourSeat)));
    assert_eq!(revision(by_ada(Authority::Player(name("ada"))).await), 1);
}

async fn start(handler: &CommandHandler) -> Result<Handled, CommandError> {
    let players = Players::new(name("ada"), name("grace")).expect("two players");
    handler
        .start_game(game(), StartGame { players }, &CommandOptions::default())
        .await
}

async fn started_store() -> RacingStore {
    let store = RacingStore::default();
    start(&handler(store.memory())).await.expect("a new game");
    store
}

fn name(text: &str) -> PlayerName {
    PlayerName::parse(text).expect("a valid name")
}

fn ada_to(column: Column) -> MakeMove {
    let player = name("ada");
    MakeMove { player, column }
}

fn grace_to(column: Column) -> MakeMove {
    let player = name("grace");
    MakeMove { player, column }
}

#[track_caller]
fn revision(handled: Result<Handled, CommandError>) -> u64 {
    let revision = handled.expect("a legal command").game.revision;
    revision.expect("a stream with events").number()
}

/// The revision at which it was not the player's turn.
#[track_caller]
fn refused_turn(handled: Result<Handled, CommandError>) -> u64 {
    match handled {
        Err(CommandError::Rejected {
            rejection: Rejection::NotYourTurn { .. },
            revision: Some(revision),
        }) => revision.number(),
        other => panic!("expected a rejection because of the turn, got {other:?}"),
    }
}
