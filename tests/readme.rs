//! The README's transcripts, run as they are printed.
//!
//! A ```console block with lines that begin with `$ ` is a session: each such line is run by a
//! shell, and what follows is what it has to print. Ids and times differ from run to run; every
//! id in the README stands for one id of the run.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// What the README calls `localhost:8080`.
const ADDRESS_IN_README: &str = "localhost:8080";

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, which the transcript has noticed.
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
    // Read on, so that the pipe does not fill up.
    std::thread::spawn(move || lines.for_each(drop));
    (program, address)
}

/// The sessions: commands, each with what it prints.
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

/// Splits a text into what varies from run to run, an id or a time, and what lies between.
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
fn the_transcripts_of_the_readme_are_true() {
    let readme = include_str!("../README.md");
    let sessions = sessions(readme);
    assert!(!sessions.is_empty(), "the README shows a session");
    let (_program, address) = start();
    for session in sessions {
        // What the README calls it, and what it is called in this run.
        let mut names = HashMap::from([(ADDRESS_IN_README.to_owned(), address.clone())]);
        for (command, expected) in session {
            let output = Command::new("bash")
                .args(["-c", &replace_all(&command, &names)])
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
