//! The command line of the program: what the flags and the environment variables mean.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const VARIABLES: [&str; 9] = [
    "EVENT_STORE",
    "LISTEN",
    "READ_MODEL",
    "RUST_LOG",
    "STATE_DIRECTORY",
    "REQUIRE_IF_MATCH",
    "LOG_FORMAT",
    "COMPUTER",
    "COMPUTER_LEVEL",
];

/// The program with only these of its variables set.
fn program(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-four"));
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::null());
    command
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let output = program(arguments, variables).output();
    output.expect("the program starts")
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running service. Killed when dropped.
struct Serving {
    child: Child,
    /// The log line that names the address.
    line: String,
}

impl Serving {
    fn start(mut command: Command) -> Serving {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("serving on http://"));
        // Keep reading, so that the pipe does not fill up.
        std::thread::spawn(move || lines.for_each(drop));
        let Some(line) = line else {
            drop(child.kill());
            let status = child.wait();
            panic!("the program ended instead of serving: {status:?}");
        };
        Serving { child, line }
    }

    fn port(&self) -> &str {
        let (_, rest) = self.line.split_once("serving on http://").expect("a URL");
        let (address, _) = rest.split_once(',').expect("a comma");
        address.rsplit_once(':').expect("a port").1
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // An error means that it already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_help_and_the_errors_do_not_contain_the_password_of_the_event_store() {
    let url = "kurrentdb://admin:hunter2@localhost:2113?tls=false";
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["serve", "--help"],
        &["rebuild", "--help"],
        &["serve", "--unknown"],
        &["rebuild", "--read-model"],
    ] {
        let output = run(arguments, &[("EVENT_STORE", url)]);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
        assert!(!printed.is_empty(), "{arguments:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
    let output = run(&["serve", "--help"], &[("EVENT_STORE", url)]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("[env: EVENT_STORE]"));
}

#[test]
fn the_help_and_the_errors_do_not_contain_the_token_of_a_player() {
    let token = "a-token-of-a-player-22";
    for arguments in [
        &["play", "--help"][..],
        &["play", "-h"],
        &["play", "--unknown"],
        &["play", "--as", "alice", "--server", "http://127.0.0.1:1"],
    ] {
        let output = run(arguments, &[("PLAYER_TOKEN", token)]);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
        assert!(!printed.is_empty(), "{arguments:?}");
        assert!(!printed.contains(token), "{printed}");
    }
    let output = run(&["play", "--help"], &[("PLAYER_TOKEN", token)]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("[env: PLAYER_TOKEN]"));
}

#[test]
fn an_empty_variable_means_the_same_as_one_that_is_not_set() {
    let folder = TempDir::new().expect("a folder");
    let empty = VARIABLES.map(|name| (name, ""));
    // The flag keeps the test from using the default port.
    let mut command = program(&["--listen", "127.0.0.1:0"], &empty);
    command.current_dir(folder.path());
    let serving = Serving::start(command);
    assert!(serving.line.contains("INFO"), "text: {}", serving.line);
    assert!(folder.path().join("connect-four.db").exists());
    assert!(folder.path().join("connect-four.read-model.v3.db").exists());

    let output = run(&["health", "http://127.0.0.1:1/readyz"], &[("LISTEN", "")]);
    assert!(complaint(&output).contains("does not answer"), "{output:?}");
    let output = run(&["play", "--help"], &[("SERVER", "")]);
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(help.contains("[default: http://127.0.0.1:8080]"), "{help}");
    assert!(!help.contains("SERVER="), "{help}");
}

#[test]
fn the_service_listens_at_a_host_name() {
    let arguments = ["--event-store", "memory:"];
    let serving = Serving::start(program(&arguments, &[("LISTEN", "localhost:0")]));
    let listen = format!("localhost:{}", serving.port());
    let output = run(&["health", "/livez"], &[("LISTEN", &listen)]);
    assert!(output.status.success(), "{output:?}");

    let output = run(&arguments, &[("LISTEN", "no-such-host.invalid:0")]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "connect-four: cannot listen on no-such-host.invalid:0: ";
    assert!(complaint(&output).starts_with(expected), "{output:?}");
    let output = run(&arguments, &[("LISTEN", "8080")]);
    assert!(complaint(&output).contains("for example 127.0.0.1:8080"));
}

#[test]
fn health_asks_the_service_at_the_address_that_it_listens_on() {
    let arguments = ["--event-store", "memory:", "--listen", "0.0.0.0:0"];
    let serving = Serving::start(program(&arguments, &[]));
    let port = serving.port();
    let listen = format!("0.0.0.0:{port}");
    for arguments in [
        &["health", "/livez"][..],
        &["health", &format!("127.0.0.1:{port}/livez")],
        &["health", &format!("http://localhost:{port}/livez")],
        &["health", "/livez", "--listen", &listen],
    ] {
        let output = run(arguments, &[("LISTEN", &listen)]);
        assert!(output.status.success(), "{arguments:?} {output:?}");
    }
    let output = run(&["health", "/nowhere"], &[("LISTEN", &listen)]);
    let expected = format!("connect-four: http://127.0.0.1:{port}/nowhere answers 404 Not Found\n");
    assert_eq!(complaint(&output), expected);

    let output = run(&["health"], &[("LISTEN", "127.0.0.1:1")]);
    let expected = "connect-four: http://127.0.0.1:1/readyz does not answer: ";
    assert!(complaint(&output).starts_with(expected), "{output:?}");
    let output = run(&["health"], &[("LISTEN", "127.0.0.1:0")]);
    assert!(complaint(&output).contains("port 0"), "{output:?}");
    let output = run(&["health", "ftp://localhost/"], &[]);
    assert!(complaint(&output).contains("is not a URL that can be checked"));
}

#[test]
fn the_image_checks_the_address_that_the_service_listens_on() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Dockerfile");
    let text = std::fs::read_to_string(file).expect("the Dockerfile");
    let (_, rest) = text.split_once("HEALTHCHECK").expect("a health check");
    let check = rest.lines().nth(1).expect("its command");
    assert_eq!(
        check.trim(),
        r#"CMD ["/usr/local/bin/connect-four", "health", "/livez"]"#
    );
}
