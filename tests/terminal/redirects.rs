//! How the service is named: without a scheme, and behind a redirect.

use std::process::{Command, Output, Stdio};

use crate::prepared_server::{PreparedServer, answer};
use crate::service::Service;

const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12";

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

#[test]
fn a_redirect_is_reported_with_the_server_to_use_instead() {
    for status in ["301 Moved Permanently", "302 Found", "303 See Other"] {
        for (arguments, resource) in [
            (
                &["play", "--player-one", "alice", "--player-two", "bob"][..],
                "livez",
            ),
            (&["play", "--game", ID], &format!("games/{ID}")),
            (&["watch", ID], &format!("games/{ID}")),
            (&["replay", ID], &format!("games/{ID}")),
        ] {
            let location = format!("https://example.org/four/{resource}");
            let head = format!("{status}\r\nlocation: {location}");
            let server = PreparedServer::with(vec![answer(&head, "")]);
            let output = run(&[arguments, &["--server", &server.url]].concat());
            assert_eq!(output.status.code(), Some(1));
            let expected = format!(
                "connect-four: {} redirects to {location}. Use --server https://example.org/four\n",
                server.url
            );
            assert_eq!(
                String::from_utf8_lossy(&output.stderr),
                expected,
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn a_redirect_that_keeps_the_request_is_followed() {
    let service = Service::start();
    let id = service.game_with("DCDCDCD");
    let head = format!(
        "308 Permanent Redirect\r\nlocation: {}/games/{id}",
        service.url
    );
    let server = PreparedServer::with(vec![answer(&head, "")]);
    let output = run(&["watch", &id, "--server", &server.url]);
    assert!(output.status.success());
}

#[test]
fn a_server_is_named_without_a_scheme() {
    let service = Service::start();
    let id = service.game_with("DCDCDCD");
    let (_, address) = service.url.split_once("://").expect("a URL");
    for server in [address, &address.replace("127.0.0.1", "localhost")] {
        for arguments in [
            &["play", "--game", &id][..],
            &["watch", &id],
            &["replay", &id],
        ] {
            let output = run(&[arguments, &["--server", server]].concat());
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(
                printed.ends_with("The game is over: alice beat bob.\n"),
                "{server}"
            );
        }
    }
}
