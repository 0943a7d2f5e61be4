//! The service is killed, or answers are lost: the game continues, and no move is made twice.

use connect_four::application::encode;
use connect_four::domain::{GameEvent, GameResult};
use connect_four::event_store::{self, ExpectedRevision, NewEvent, StreamName, StreamRevision};
use uuid::Uuid;

use crate::forgetful_proxy::ForgetfulProxy;
use crate::service::Service;
use crate::terminal::Terminal;

#[test]
fn a_game_continues_after_the_service_is_killed_and_started_again() {
    let mut service = Service::start();
    let id = service.game_with("");
    let play = |name| {
        Terminal::run(&[
            "play",
            "--server",
            &service.url,
            "--as",
            name,
            "--game",
            &id,
        ])
    };
    let (mut alice, mut bob) = (play("alice"), play("bob"));
    alice.shows("alice, your column");
    alice.types("D");
    alice.shows("Waiting for bob…");
    bob.shows("bob, your column");

    service.kill();
    bob.types("C");
    for terminal in [&alice, &bob] {
        terminal.shows("reconnecting…");
    }
    service.start_again();

    for (yellow, red) in [("D", "C"), ("D", "C")] {
        alice.shows("alice, your column");
        assert!(!alice.screen().contains("reconnecting…"));
        alice.types(yellow);
        alice.shows("Waiting for bob…");
        bob.shows("bob, your column");
        bob.types(red);
        bob.shows("Waiting for alice…");
    }
    alice.shows("alice, your column");
    alice.types("D");
    for terminal in [&mut alice, &mut bob] {
        assert_eq!(terminal.ends(), Some(0));
        terminal.shows("alice beat bob");
    }
    assert_eq!(service.columns(&id), "DCDCDCD");
    assert_eq!(service.event_types(&id).len(), 9);
}

#[test]
fn a_move_whose_answer_is_lost_is_made_once() {
    let service = Service::start();
    let id = service.game_with("");
    let proxy = service.block_on(ForgetfulProxy::before(&service.url));
    let terminal = Terminal::run(&["play", "--server", &proxy.url, "--game", &id]);
    terminal.shows("alice, your column");
    proxy.lose_answers_to_commands(2);
    terminal.types("D");
    terminal.shows("bob, your column");
    assert_eq!(proxy.left_to_lose(), 0, "the answer was lost twice");
    assert_eq!(service.columns(&id), "D");
}

#[test]
fn a_player_who_is_about_to_move_sees_the_resignation_of_the_other() {
    let mut service = Service::start();
    let id = service.game_with("D");
    let mut bob = Terminal::run(&[
        "play",
        "--server",
        &service.url,
        "--as",
        "bob",
        "--game",
        &id,
    ]);
    bob.shows("bob, your column");
    service.kill();
    bob.shows("reconnecting…");
    service.block_on(alice_resigns(&service.store, &id));
    service.start_again();
    assert_eq!(bob.ends(), Some(0));
    bob.shows("The game is over: alice resigned, so bob won.");
}

/// Stores the end of a game, as a resignation does.
async fn alice_resigns(store: &str, id: &str) {
    let store = event_store::open(store)
        .await
        .expect("a file that no process uses");
    let (event_type, data) = encode(&GameEvent::GameFinished {
        result: GameResult::PlayerTwoWon,
    });
    let event = NewEvent {
        id: Uuid::now_v7(),
        event_type: event_type.into(),
        data,
        metadata: Default::default(),
    };
    let stream = StreamName::new(format!("game-{id}")).expect("a name");
    let expected = ExpectedRevision::Exact(StreamRevision::new(1));
    store
        .append(&stream, expected, vec![event])
        .await
        .expect("an append");
}

#[test]
fn a_wrong_address_is_reported_at_once() {
    // No process listens on the port of a killed service.
    let mut service = Service::start();
    service.kill();
    for arguments in [
        &["play"][..],
        &["watch", "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12"],
    ] {
        let mut terminal = Terminal::run(&[arguments, &["--server", &service.url]].concat());
        assert_eq!(terminal.ends(), Some(1));
        terminal.shows(&format!("{} does not answer: ", service.url));
        terminal.shows("--server says where");
    }
    let mut terminal = Terminal::run(&["play", "--server", "ftp://example.org"]);
    assert_eq!(terminal.ends(), Some(1));
    terminal.shows("`ftp://example.org` is not the URL of a service");
}
