//! Runs the examples of the README and compares what they print.
//!
//! A `console` block with lines that begin with a dollar sign is a session. A shell runs each such
//! line, and must print the lines that follow it. Ids and times differ from run to run: each id in the
//! README stands for one id of the run.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::iter;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The address in the README, which is replaced by the real one.
const ADDRESS_IN_README: &str = "localhost:8080";

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that the program already ended. The test has failed then.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts the program, and returns the address that it listens on.
fn start() -> (Program, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(["--event-store", "memory:", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout = child.stdout.take().expect("a pipe");
    let program = Program(child);
    let mut lines = BufReader::new(stdout)
        .lines()
        .map(|line| line.expect("text"));
    let address = lines
        .find_map(|line| {
            let (_, rest) = line.split_once("serving on http://")?;
            Some(rest.split_once(',')?.0.to_owned())
        })
        .expect("a start-up line");
    // Keep reading, so that the pipe does not fill up.
    std::thread::spawn(move || lines.for_each(drop));
    (program, address)
}

/// The `PATH`, with the folder of `connect-four` in front.
fn path_with_program() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_connect-four"));
    let folder = program.parent().expect("a folder").to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(iter::once(folder).chain(env::split_paths(&path))).expect("a path")
}

/// The sessions: commands, each with its expected output.
fn sessions(readme: &str) -> Vec<Vec<(String, String)>> {
    readme
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| {
            let mut session: Vec<(String, String)> = Vec::new();
            for line in block.lines() {
                match (line.strip_prefix("$ "), session.last_mut()) {
                    (Some(command), _) => session.push((command.to_owned(), String::new())),
                    (None, Some((_, output))) => output.push_str(&format!("{line}\n")),
                    (None, None) => {}
                }
            }
            session
        })
        .filter(|session| !session.is_empty())
        .collect()
}

/// The parts of a text that differ from run to run: ids and times.
fn variable_parts(text: &str) -> Vec<&str> {
    const SHAPES: [&str; 2] = [
        "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh",
        "dddd-dd-ddTdd:dd:dd.ddddddZ",
    ];
    let matches = |place: usize, shape: &&str| {
        let candidate = text.get(place..place + shape.len());
        candidate.is_some_and(|candidate| {
            candidate
                .bytes()
                .zip(shape.bytes())
                .all(|(found, wanted)| match wanted {
                    b'h' => found.is_ascii_hexdigit(),
                    b'd' => found.is_ascii_digit(),
                    literal => found == literal,
                })
        })
    };
    let mut parts = Vec::new();
    let mut place = 0;
    while place < text.len() {
        match SHAPES.iter().find(|shape| matches(place, shape)) {
            Some(shape) => {
                parts.push(&text[place..place + shape.len()]);
                place += shape.len();
            }
            None => place += 1,
        }
    }
    parts
}

fn replace_all(text: &str, names: &HashMap<String, String>) -> String {
    names
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[test]
fn the_examples_of_the_readme_print_what_it_shows() {
    let readme = include_str!("../README.md");
    let sessions = sessions(readme);
    assert!(!sessions.is_empty(), "the README shows a session");
    let (_program, address) = start();
    // The commands write their files here.
    let folder = tempfile::TempDir::new().expect("a folder");
    for session in sessions {
        // Maps an address, id or time in the README to the one in this run.
        let mut names = HashMap::from([(ADDRESS_IN_README.to_owned(), address.clone())]);
        let mut variables = String::new();
        for (command, expected) in session {
            let is_assignment = |word: &str| {
                word.split_once('=').is_some_and(|(name, _)| {
                    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase())
                })
            };
            if command.split(' ').next().is_some_and(is_assignment) {
                variables += &format!("{}; ", replace_all(&command, &names));
            }
            let output = Command::new("bash")
                .args([
                    "-c",
                    &format!("{variables}{}", replace_all(&command, &names)),
                ])
                .env("PATH", path_with_program())
                .current_dir(folder.path())
                .output()
                .expect("a shell");
            let printed = String::from_utf8(output.stdout).expect("text");
            for (told, seen) in variable_parts(&expected)
                .iter()
                .zip(variable_parts(&printed))
            {
                names
                    .entry((*told).to_owned())
                    .or_insert_with(|| seen.to_owned());
            }
            let expected = replace_all(&expected, &names);
            assert_eq!(printed.trim_end(), expected.trim_end(), "$ {command}");
        }
    }
}

/// A player in a shell who types these columns.
fn player(arguments: &[&str], columns: &str) -> Child {
    let mut child = Command::new("docs/play")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash and curl");
    let mut typing = child.stdin.take().expect("a pipe");
    let lines = columns.replace(' ', "\n") + "\n";
    typing.write_all(lines.as_bytes()).expect("a reader");
    child
}

#[test]
fn two_players_in_two_shells_finish_a_game() {
    let (_program, address) = start();
    let game = format!("{address}/games/5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12");
    // X is not a column: alice is asked again.
    let alice = player(&[&game, "alice", "bob"], "D D X D D");
    while Command::new("curl")
        .args(["-sf", "-o", "/dev/null", &game])
        .status()
        .is_ok_and(|found| !found.success())
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let bob = player(&[&game, "bob"], "C C C");
    for shell in [alice, bob] {
        let output = shell.wait_with_output().expect("an end");
        let printed = String::from_utf8(output.stdout).expect("text");
        assert!(printed.contains("\nalice won: D1 D2 D3 D4\n"), "{printed}");
    }
}
