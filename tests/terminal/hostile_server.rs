//! What a server sends cannot control the terminal.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::prepared_server::{PreparedServer, answer};
use crate::terminal::Terminal;

const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12";

/// Sets the title, clears the screen with a control of each kind, rings, reverses the text and adds a line.
const HOSTILE: &str =
    "\u{1b}]0;owned\u{7}\u{9b}2J\u{1b}[2J\u{202e}\u{2066}\u{61c}\u{2028}\r\nfaked";

fn hostile_game() -> String {
    let game = json!({
        "id": ID, "revision": 0, "player_one": HOSTILE, "player_two": format!("bob{HOSTILE}"),
        "next_player": null, "is_finished": true, "result": "PLAYER_ONE_WON", "board": {},
        "legal_columns": [], "last_move": null, "winning_line": [HOSTILE],
    });
    answer("200 OK", &game.to_string())
}

fn problem(status: &str) -> String {
    let body = json!({"type": "/problems/other", "detail": format!("Not now: {HOSTILE}")});
    answer(status, &body.to_string())
}

fn commands(server: &PreparedServer) -> [Vec<String>; 3] {
    let game = format!("{}/games/{ID}", server.url);
    [
        vec!["play".to_owned(), "--game".to_owned(), game.clone()],
        vec!["watch".to_owned(), game.clone()],
        vec!["replay".to_owned(), game],
    ]
}

#[track_caller]
fn assert_harmless(printed: &str) {
    let is_harmful = |letter: &char| {
        let is_direction = "\u{61c}\u{202e}\u{2066}\u{2028}".contains(*letter);
        is_direction || letter.is_control() && !"\n\r\u{1b}".contains(*letter)
    };
    let harmful: Vec<_> = printed.chars().filter(is_harmful).collect();
    assert!(harmful.is_empty(), "{harmful:?} in {printed:?}");
    assert!(!printed.contains("\u{1b}]"), "{printed:?}");
    assert!(!printed.contains("\nfaked"), "{printed:?}");
}

#[test]
fn names_problems_and_the_winning_line_are_printed_without_control_characters() {
    for index in 0..3 {
        let answers = [problem("503 Service Unavailable"), hostile_game()];
        let server = PreparedServer::with(answers.to_vec());
        let arguments = &commands(&server)[index];
        let output = Command::new(env!("CARGO_BIN_EXE_connect-four"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{arguments:?} {printed}");
        assert!(
            printed.contains("The service is away (Not now: "),
            "{printed}"
        );
        assert!(printed.contains(" won: "), "{printed}");
        assert!(!printed.contains(['\u{1b}', '\r']), "{printed:?}");
        assert_harmless(&printed);
    }
}

#[test]
fn an_error_is_printed_without_control_characters() {
    for index in 0..3 {
        let server = PreparedServer::with(vec![problem("404 Not Found")]);
        let arguments = &commands(&server)[index];
        let output = Command::new(env!("CARGO_BIN_EXE_connect-four"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let printed = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(printed.contains("Not now: "), "{arguments:?} {printed}");
        assert!(!printed.contains(['\u{1b}', '\r']), "{printed:?}");
        assert_harmless(&printed);
    }
}

#[test]
fn a_terminal_gets_only_the_escape_sequences_of_the_program() {
    let answers = [problem("503 Service Unavailable"), hostile_game()];
    let server = PreparedServer::with(answers.to_vec());
    let [play, watch, _] = commands(&server);
    for arguments in [play, watch] {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut terminal = Terminal::run(&arguments);
        assert_eq!(terminal.ends(), Some(0));
        let written = terminal.written();
        assert!(written.contains("The game is over"), "{written}");
        assert_eq!(written.matches("\u{1b}[2J").count(), 1, "{written:?}");
        assert_harmless(&written);
    }
}
