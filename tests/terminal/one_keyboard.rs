//! Two people at one keyboard, as in the tutorial.

use crate::service::Service;
use crate::terminal::Terminal;

/// The game's id in the message that the program prints when a player leaves.
fn id_in(screen: &str) -> String {
    let (_, rest) = screen.split_once("/games/").expect("a game's URL");
    rest.chars().take(36).collect()
}

#[test]
fn two_players_finish_a_game_at_one_keyboard() {
    let service = Service::start();
    let mut terminal = Terminal::run(&["play", "--server", &service.url]);
    terminal.shows("Player one, yellow: ");
    terminal.types("alice");
    terminal.shows("Player two, red: ");
    terminal.types("bob");
    for (player, column) in ["alice", "bob"].into_iter().cycle().zip("DcdCDCD".chars()) {
        terminal.shows(&format!("{player}, your column (or resign; q to leave): "));
        terminal.types(&column.to_string());
    }
    assert_eq!(terminal.ends(), Some(0));
    let screen = terminal.screen();
    assert!(screen.contains("alice won: D1 D2 D3 D4"), "{screen}");
    assert!(
        screen.contains("The game is over: alice beat bob."),
        "{screen}"
    );
    assert!(
        screen.contains("║   ║   ║ ● ║(●)║   ║   ║   ║"),
        "the winning line is marked:\n{screen}"
    );
    assert_eq!(
        screen.matches('╔').count(),
        1,
        "redrawn in place:\n{screen}"
    );
}

#[test]
fn after_a_refused_move_the_reason_is_shown_and_the_player_asked_again() {
    let service = Service::start();
    let id = service.game_with("DDDDDD");
    let game = format!("{}/games/{id}", service.url);
    let terminal = Terminal::run(&["play", "--game", &game]);
    terminal.shows("alice, your column");
    terminal.types("D");
    terminal.shows("Column D is full");
    terminal.types("X");
    terminal.shows("a column is one of the letters A to G.");
    assert!(!terminal.screen().contains("Column D is full"));
    terminal.types("E");
    terminal.shows("bob, your column");
    let screen = terminal.screen();
    assert!(!screen.contains("letters A to G"), "{screen}");
    assert!(
        screen.contains("║(●)║   ║   ║\n╚"),
        "the last move:\n{screen}"
    );
    assert_eq!(service.columns(&id), "DDDDDDE");
}

#[test]
fn resign_ends_the_game() {
    let service = Service::start();
    let id = service.game_with("DD");
    let game = format!("{}/games/{id}", service.url);
    let mut terminal = Terminal::run(&["play", "--game", &game]);
    terminal.shows("alice, your column");
    terminal.types("resign");
    assert_eq!(terminal.ends(), Some(0));
    let screen = terminal.screen();
    assert!(
        screen.contains("The game is over: alice resigned, so bob won."),
        "{screen}"
    );
    assert_eq!(service.columns(&id), "DD");
}

#[test]
fn after_a_refused_name_the_player_is_asked_again() {
    let service = Service::start();
    let terminal = Terminal::run(&["play", "--server", &service.url, "--player-one", "alice"]);
    terminal.shows("Player two, red: ");
    terminal.types("alice");
    terminal.has_written("different names");
    terminal.types("bob");
    terminal.shows("alice, your column");
}

#[test]
fn leaving_a_game_prints_the_command_that_continues_it() {
    let service = Service::start();
    for leave in ["q\r", "\u{4}"] {
        let mut terminal = Terminal::run(&[
            "play",
            "--server",
            &service.url,
            "--player-one",
            "alice",
            "--player-two",
            "bob",
        ]);
        terminal.shows("alice, your column");
        terminal.types("G");
        terminal.shows("bob, your column");
        terminal.presses(leave);
        assert_eq!(terminal.ends(), Some(0));
        let id = id_in(&terminal.screen());
        terminal.shows(&format!(
            "connect-four play --game {}/games/{id}",
            service.url
        ));

        let again = Terminal::run(&["play", "--server", &service.url, "--game", &id]);
        again.shows("bob, your column");
    }
}

#[test]
fn ctrl_c_ends_a_game() {
    let service = Service::start();
    let id = service.game_with("D");
    let mut terminal = Terminal::run(&["play", "--server", &service.url, "--game", &id]);
    terminal.shows("bob, your column");
    terminal.presses("\u{3}");
    assert_eq!(terminal.ends(), Some(1));
    terminal.shows("connect-four: interrupted");
}

#[test]
fn a_game_can_be_played_on_a_service_that_requires_if_match() {
    let service = Service::start_with(&["--require-if-match"]);
    let id = service.game_with("");
    let terminal = Terminal::run(&["play", "--server", &service.url, "--game", &id]);
    for (player, column) in [("alice", "D"), ("bob", "E")] {
        terminal.shows(&format!("{player}, your column"));
        terminal.types(column);
    }
    terminal.shows("alice, your column");
    assert_eq!(service.columns(&id), "DE");
}
