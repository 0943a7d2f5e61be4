//! Two terminals with one player each.

use crate::service::Service;
use crate::terminal::Terminal;

const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12";

#[test]
fn two_players_finish_a_game_at_two_terminals() {
    let service = Service::start();
    let mut alice = Terminal::run(&["play", "--server", &service.url, "--as", "alice"]);
    alice.shows("Player two, red: ");
    alice.types("bob");
    alice.shows("alice, your column");

    let mut bob = Terminal::run_line(&alice.command_below("To play from another terminal:"));
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
fn one_player_plays_against_the_computer() {
    let service = Service::start_with(&["--computer-level", "easy"]);
    let against = ["play", "--server", &service.url, "--against", "computer"];
    let mut alice = Terminal::run(&against);
    alice.shows("Player one, yellow: ");
    alice.types("alice");
    alice.shows("alice, your column");
    alice.types("A");
    alice.has_written("Waiting for computer…");
    alice.shows("alice, your column");
    alice.types("q");
    alice.ends();

    // With the id of a game, the name alone is missing.
    let mut ada = Terminal::run(&[&against[..], &["--game", ID]].concat());
    ada.shows("Your name: ");
    ada.types("ada");
    ada.shows("ada, your column");
    ada.types("D");
    ada.has_written("Waiting for computer…");
    ada.shows("ada, your column");
    // Nobody has to join as the computer.
    assert!(!ada.written().contains("another terminal"));
    assert_eq!(
        service.event_types(ID),
        ["GameStarted", "MoveMade", "MoveMade"]
    );
    ada.types("q");
    ada.ends();
}

#[test]
fn the_first_player_starts_a_game_whose_id_both_know() {
    let service = Service::start();
    let server = ["play", "--open", "--server", &service.url, "--game", ID];
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
fn a_name_is_accepted_in_every_unicode_normalization() {
    let service = Service::start();
    let server = ["play", "--open", "--server", &service.url, "--game", ID];
    let names = ["--as", "Zoe\u{308}", "--against", "bob"];
    let zoe = Terminal::run(&[&server[..], &names].concat());
    zoe.shows("Zo\u{eb}, your column");
    zoe.types("D");
    zoe.shows("Waiting for bob…");
    let again = Terminal::run(&[&server[..], &["--as", "Zo\u{eb}"]].concat());
    again.shows("Waiting for bob…");
    assert_eq!(service.columns(ID), "D");
}

#[test]
fn somebody_who_does_not_play_the_game_is_told_who_does() {
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
fn input_before_it_is_the_players_turn_is_ignored() {
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
    // One complete line, and one without Enter.
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
fn a_move_from_another_client_is_shown_while_a_player_is_asked() {
    let service = Service::start();
    let id = service.game_with("");
    let bob = Terminal::run(&["play", "--server", &service.url, "--game", &id]);
    bob.shows("alice, your column");
    service.make_move(&id, "alice", "D");
    bob.shows("bob, your column");
}
