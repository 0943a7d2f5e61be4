//! With pipes and `NO_COLOR`, the boards are printed one below the other, as plain text.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::service::Service;
use crate::terminal::Terminal;

/// Runs the program with this standard input, which is not a terminal.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // An error means that the program ended before it read everything.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    child.wait_with_output().expect("an end")
}

/// The output of the program, which must succeed and print plain text without escape sequences.
fn plain(output: Output) -> String {
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}{printed}");
    assert!(!printed.contains('\u{1b}'), "{printed}");
    printed
}

fn boards(text: &str) -> usize {
    text.matches("╔═══╦").count()
}

#[test]
fn a_game_can_be_played_from_a_file() {
    let service = Service::start();
    let input = "alice\nbob\nD\nC\nD\nC\nH\nH\nD\nC\nD\n";
    let printed = plain(run(&["play", "--server", &service.url], input));
    assert_eq!(boards(&printed), 8, "one for each revision:\n{printed}");
    assert!(
        printed.contains("\nalice, your column (or resign; q to leave): \n"),
        "{printed}"
    );
    let reasons = printed.matches("\na column is one of the letters A to G.\n");
    assert_eq!(reasons.count(), 2, "{printed}");
    assert!(
        printed.ends_with("The game is over: alice beat bob.\n"),
        "{printed}"
    );
}

#[test]
fn the_end_of_the_input_leaves_the_game() {
    let service = Service::start();
    let printed = plain(run(&["play", "--server", &service.url], "alice\nbob\nD\n"));
    assert_eq!(boards(&printed), 2, "{printed}");
    assert!(printed.contains("To go on with this game:\n  connect-four play --game "));
    let printed = plain(run(&["play", "--server", &service.url], "alice\n"));
    assert_eq!(boards(&printed), 0, "{printed}");
}

#[test]
fn every_step_of_a_replay_is_printed() {
    let service = Service::start();
    let id = service.game_with("DCDCDCD");
    let printed = plain(run(&["replay", "--server", &service.url, &id], ""));
    assert_eq!(boards(&printed), 9, "{printed}");
    let watched = plain(run(&["watch", "--server", &service.url, &id], ""));
    assert_eq!(boards(&watched), 1, "{watched}");
    assert!(printed.ends_with(&watched), "{printed}");
}

#[test]
fn no_color_removes_all_escape_sequences_on_a_terminal() {
    let service = Service::start();
    let id = service.game_with("DC");
    for variables in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let arguments = ["play", "--server", &service.url, "--game", &id];
        let mut terminal = Terminal::run_with(&arguments, &[variables]);
        terminal.shows("alice, your column");
        terminal.types("X");
        terminal.has_written("letters A to G");
        terminal.types("q");
        assert_eq!(terminal.ends(), Some(0));
        let written = terminal.written();
        assert!(!written.contains('\u{1b}'), "{written}");
        assert!(written.contains("║(R)║ Y ║"), "{written}");
    }
}

#[test]
fn an_error_goes_to_standard_error() {
    let output = run(
        &[
            "watch",
            "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12",
            "--server",
            "ftp://example.org",
        ],
        "",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not the URL of a service"));
}

#[test]
fn a_closed_output_pipe_is_not_an_error() {
    let service = Service::start();
    let id = service.game_with("DCDCDCD");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(["replay", "--server", &service.url, &id])
        .stdin(Stdio::null())
        .stdout(writer)
        .output()
        .expect("the program starts");
    assert!(output.status.success());
    assert!(output.stderr.is_empty());
}
