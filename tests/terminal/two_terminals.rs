//! One player at each of two terminals.

use crate::service::Service;
use crate::terminal::Terminal;

const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12";

#[test]
fn a_whole_game_is_played() {
    let service = Service::start();
    let mut alice = Terminal::run(&["play", "--server", &service.url, "--as", "alice"]);
    alice.shows("Player two, red: ");
    alice.types("bob");
    alice.shows("alice, your column");

    // The line to type in the other terminal.
    let screen = alice.screen();
    let (_, invitation) = screen.split_once("  connect-four ").expect("an invitation");
    let line = invitation.lines().next().expect("a line");
    let mut bob = Terminal::run(&line.split_whitespace().collect::<Vec<_>>());
    bob.shows("Waiting for alice…");

    for (yellow, red) in [("A", "B"), ("A", "B"), ("G", "B")] {
        alice.shows("alice, your column");
        alice.types(yellow);
        alice.shows("Waiting for bob…");
        bob.shows("bob, your column");
        bob.types(red);
        bob.shows("Waiting for alice…");
    }
    alice.shows("alice, your column");
    assert!(!alice.screen().contains("To play from another terminal"));
    alice.types("G");
    bob.shows("bob, your column");
    bob.types("B");
    for terminal in [&mut alice, &mut bob] {
        assert_eq!(terminal.ends(), Some(0));
        terminal.shows("The game is over: bob beat alice.");
        terminal.shows("bob won: B1 B2 B3 B4");
    }
}

#[test]
fn who_comes_first_starts_the_game_that_both_name() {
    let service = Service::start();
    let server = ["play", "--server", &service.url, "--game", ID];
    let too_early = [&server[..], &["--as", "bob"]].concat();
    let mut bob = Terminal::run(&too_early);
    assert_eq!(bob.ends(), Some(1));
    bob.shows("There is no game with this id.");

    let alice = Terminal::run(&[&server[..], &["--as", "alice", "--against", "bob"]].concat());
    alice.shows("alice, your column");
    let bob = Terminal::run(&[&server[..], &["--as", "bob", "--against", "alice"]].concat());
    bob.shows("Waiting for alice…");
    assert_eq!(service.event_types(ID), ["GameStarted"]);
}

#[test]
fn a_stranger_is_told_who_plays() {
    let service = Service::start();
    let id = service.game_with("");
    let mut carol = Terminal::run(&[
        "play",
        "--server",
        &service.url,
        "--as",
        "carol",
        "--game",
        &id,
    ]);
    assert_eq!(carol.ends(), Some(1));
    carol.shows("carol does not play this game; alice and bob do");
}

#[test]
fn what_is_typed_while_the_other_one_thinks_is_no_move() {
    let service = Service::start();
    let id = service.game_with("");
    let bob = Terminal::run(&[
        "play",
        "--server",
        &service.url,
        "--as",
        "bob",
        "--game",
        &id,
    ]);
    bob.shows("Waiting for alice…");
    // A whole line, and one without its Enter.
    bob.types("A");
    bob.presses("BC");
    bob.shows("BC");
    service.make_move(&id, "alice", "D");
    bob.shows("bob, your column");
    bob.types("E");
    bob.shows("Waiting for alice…");
    assert_eq!(service.columns(&id), "DE");
}

#[test]
fn a_move_from_elsewhere_is_seen_in_mid_thought() {
    let service = Service::start();
    let id = service.game_with("");
    let bob = Terminal::run(&["play", "--server", &service.url, "--game", &id]);
    bob.shows("alice, your column");
    service.make_move(&id, "alice", "D");
    bob.shows("bob, your column");
}
