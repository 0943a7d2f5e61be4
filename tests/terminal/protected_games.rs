//! Games that are started with `--as` are protected: only the terminals with the players' tokens move.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use connect_four::client::{Client, IdempotencyKey, Move, StartedGame};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::forgetful_proxy::ForgetfulProxy;
use crate::service::Service;
use crate::terminal::Terminal;

const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12";
const INVITATION: &str = "To play from another terminal:";

/// The state directory of one user.
struct Home(TempDir);

impl Home {
    fn new() -> Home {
        Home(TempDir::new().expect("a folder"))
    }

    fn path(&self) -> &str {
        self.0.path().to_str().expect("UTF-8")
    }

    fn run(&self, service: &str, arguments: &[&str]) -> Terminal {
        self.run_with_token(service, arguments, None)
    }

    fn run_with_token(&self, service: &str, arguments: &[&str], token: Option<&str>) -> Terminal {
        let mut variables = vec![("XDG_STATE_HOME", self.path()), ("SERVER", service)];
        variables.extend(token.map(|token| ("PLAYER_TOKEN", token)));
        Terminal::run_with(&[&["play"], arguments].concat(), &variables)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path().join("connect-four"));
        let entries = entries.into_iter().flatten();
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }

    /// The tokens of both players in the only file.
    fn tokens(&self, service: &str) -> [String; 2] {
        let [file] = &self.files()[..] else {
            panic!("one file: {:?}", self.files());
        };
        let content = fs::read(file).expect("a readable file");
        let content: Value = serde_json::from_slice(&content).expect("JSON");
        ["player_one", "player_two"].map(|player| {
            let token = content[service][player].as_str();
            token.unwrap_or_else(|| panic!("{content}")).to_owned()
        })
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").permissions().mode() & 0o777
}

/// A protected game between alice and bob that was started in this home, and left.
fn started(service: &Service, home: &Home) -> [String; 2] {
    let arguments = ["--as", "alice", "--against", "bob", "--game", ID];
    let mut alice = home.run(&service.url, &arguments);
    alice.shows("alice, your column");
    alice.types("q");
    assert_eq!(alice.ends(), Some(0));
    home.tokens(&service.url)
}

#[test]
fn only_the_terminals_of_the_players_move_in_a_game_that_one_of_them_starts() {
    let service = Service::start();
    let home = Home::new();
    let alice = home.run(&service.url, &["--as", "alice", "--against", "bob"]);
    alice.shows("alice, your column");
    let [alices, bobs] = home.tokens(&service.url);
    assert_ne!(alices, bobs);
    let file = &home.files()[0];
    assert_eq!(mode(file), 0o600);
    assert_eq!(mode(file.parent().expect("a folder")), 0o700);
    let id = file
        .file_stem()
        .and_then(|name| name.to_str())
        .expect("an id");

    assert_eq!(service.try_move(id, "alice", "A", None), 401);
    assert_eq!(service.try_move(id, "alice", "A", Some(&bobs)), 403);

    // The command for bob has his token, but not in the arguments, which every user of the machine can see.
    let line = alice.command_below(INVITATION);
    assert!(
        line.starts_with(&format!("PLAYER_TOKEN={bobs} connect-four play --as bob")),
        "{line}"
    );
    let bob = Terminal::run_line(&line);
    bob.shows("Waiting for alice…");
    alice.types("D");
    alice.shows("Waiting for bob…");
    bob.shows("bob, your column");
    bob.types("E");
    alice.shows("alice, your column");
    assert_eq!(service.columns(id), "DE");
    assert!(!alice.screen().contains("PLAYER_TOKEN"));
    assert!(!alice.written().contains(&alices));
}

#[test]
fn a_player_continues_with_the_token_that_was_kept() {
    let service = Service::start();
    let (alices, bobs) = (Home::new(), Home::new());
    let [_, token] = started(&service, &alices);
    let arguments = ["--as", "alice", "--game", ID];
    let mut alice = alices.run(&service.url, &arguments);
    alice.shows("alice, your column");
    alice.types("D");
    alice.shows("Waiting for bob…");
    alice.types("q");
    alice.shows("To go on with this game:");
    let command = alice.command_below("To go on with this game:");
    assert!(
        command.starts_with("connect-four play --as alice --game"),
        "{command}"
    );
    assert_eq!(alice.ends(), Some(0));

    // Bob gives his token once.
    let arguments = ["--as", "bob", "--game", ID];
    let mut bob = bobs.run_with_token(&service.url, &arguments, Some(&token));
    bob.shows("bob, your column");
    bob.types("q");
    assert_eq!(bob.ends(), Some(0));
    assert_eq!(mode(&bobs.files()[0]), 0o600);
    let bob = bobs.run(&service.url, &arguments);
    bob.shows("bob, your column");
    bob.types("E");
    bob.shows("Waiting for alice…");
    assert_eq!(service.columns(ID), "DE");
}

#[test]
fn a_token_that_cannot_be_kept_is_in_the_command_that_continues() {
    let service = Service::start();
    let [_, token] = started(&service, &Home::new());
    // A file, where the folder of the program should be.
    let home = Home::new();
    fs::write(home.0.path().join("connect-four"), "").expect("a writable folder");
    let arguments = ["--as", "alice", "--against", "bob"];
    let mut alice = home.run(&service.url, &arguments);
    assert_eq!(alice.ends(), Some(1));
    alice.shows("--open starts a game without tokens");

    let arguments = ["--as", "bob", "--game", ID];
    let mut bob = home.run_with_token(&service.url, &arguments, Some(&token));
    bob.shows("Waiting for alice…");
    bob.types("q");
    assert_eq!(bob.ends(), Some(0));
    let command = bob.command_below("To go on with this game:");
    let expected = format!("PLAYER_TOKEN={token} connect-four play --as bob");
    assert!(command.starts_with(&expected), "{command}");
}

#[test]
fn refusals_are_explained_in_plain_words() {
    let service = Service::start();
    let home = Home::new();
    let [alices, bobs] = started(&service, &home);
    let arguments = ["--as", "alice", "--game", ID];

    let mut stranger = Home::new().run(&service.url, &arguments);
    assert_eq!(stranger.ends(), Some(1));
    stranger.shows("the token of alice is not on this machine");

    let garbage = "a-token-of-another-game";
    for (token, words) in [
        (garbage, "belongs to neither player of this game"),
        (&bobs, "belongs to the other player"),
    ] {
        let mut terminal = Home::new().run_with_token(&service.url, &arguments, Some(token));
        terminal.shows("alice, your column");
        terminal.types("D");
        assert_eq!(terminal.ends(), Some(1));
        terminal.shows(words);
    }
    assert_eq!(service.columns(ID), "");

    // A wrong token does not replace the kept one.
    let mut terminal = home.run_with_token(&service.url, &arguments, Some(garbage));
    terminal.shows("alice, your column");
    terminal.types("D");
    assert_eq!(terminal.ends(), Some(1));
    assert_eq!(home.tokens(&service.url), [alices, bobs]);
}

#[test]
fn a_wrong_token_that_was_kept_is_replaced_by_the_right_one() {
    let service = Service::start();
    let [token, _] = started(&service, &Home::new());
    let home = Home::new();
    let arguments = ["--as", "alice", "--game", ID];
    let mut first = home.run_with_token(&service.url, &arguments, Some("a-token-of-another-game"));
    first.shows("alice, your column");
    first.types("q");
    assert_eq!(first.ends(), Some(0));
    let mut second = home.run_with_token(&service.url, &arguments, Some(&token));
    second.shows("alice, your column");
    second.types("D");
    second.shows("Waiting for bob…");
    second.types("q");
    assert_eq!(second.ends(), Some(0));
    home.run(&service.url, &arguments).shows("Waiting for bob…");
    let kept = fs::read_to_string(&home.files()[0]).expect("a readable file");
    assert!(kept.contains(&token), "{kept}");
}

#[test]
fn a_lost_answer_to_the_start_does_not_lose_the_game() {
    let service = Service::start();
    let home = Home::new();
    let proxy = service.block_on(ForgetfulProxy::before(&service.url));
    proxy.lose_answers_to_commands(2);
    let alice = home.run(&proxy.url, &["--as", "alice", "--against", "bob"]);
    alice.shows("alice, your column");
    assert_eq!(proxy.left_to_lose(), 0, "the answer was lost twice");
    alice.types("D");
    alice.shows("Waiting for bob…");
}

#[test]
fn a_program_that_ends_before_the_answer_to_the_start_does_not_lose_the_game() {
    let service = Service::start();
    let home = Home::new();
    let proxy = service.block_on(ForgetfulProxy::before(&service.url));
    proxy.lose_answers_to_commands(usize::MAX);
    let arguments = ["--as", "alice", "--against", "bob", "--game", ID];
    let alice = home.run(&proxy.url, &arguments);
    alice.shows("reconnecting…");
    // Killed.
    drop(alice);
    assert_eq!(service.event_types(ID), ["GameStarted"]);
    proxy.lose_answers_to_commands(0);
    let alice = home.run(&proxy.url, &arguments);
    alice.shows("alice, your column");
    alice.types("D");
    alice.shows("Waiting for bob…");
    assert_eq!(service.columns(ID), "D");
}

#[test]
fn an_open_game_has_no_tokens_and_everyone_moves_in_it() {
    let service = Service::start();
    let home = Home::new();
    let arguments = ["--as", "alice", "--against", "bob", "--game", ID, "--open"];
    let alice = home.run(&service.url, &arguments);
    alice.shows("alice, your column");
    assert_eq!(home.files(), Vec::<PathBuf>::new());
    let line = alice.command_below(INVITATION);
    assert!(line.starts_with("connect-four play --as bob"), "{line}");
    assert_eq!(service.try_move(ID, "alice", "D", None), 201);
    alice.shows("Waiting for bob…");
    // A token for an open game is not kept.
    let bob = home.run_with_token(
        &service.url,
        &["--as", "bob", "--game", ID],
        Some("a-token"),
    );
    bob.shows("bob, your column");
    assert_eq!(home.files(), Vec::<PathBuf>::new());
}

#[test]
fn a_game_against_the_computer_can_be_open_too() {
    let service = Service::start_with(&["--computer-level", "easy"]);
    let home = Home::new();
    let alice = home.run(&service.url, &["--against", "computer", "--open"]);
    alice.shows("Player one, yellow: ");
    alice.types("alice");
    alice.shows("alice, your column");
    assert_eq!(home.files(), Vec::<PathBuf>::new());
}

#[test]
fn names_that_are_refused_leave_no_tokens() {
    let service = Service::start();
    let home = Home::new();
    let mut alice = home.run(&service.url, &["--as", "alice", "--against", "alice"]);
    assert_eq!(alice.ends(), Some(1));
    assert_eq!(home.files(), Vec::<PathBuf>::new());
}

#[test]
fn a_game_at_one_keyboard_is_open_and_a_protected_one_needs_both_tokens() {
    let service = Service::start();
    let home = Home::new();
    let names = ["--player-one", "alice", "--player-two", "bob"];
    home.run(&service.url, &names).shows("alice, your column");
    assert_eq!(home.files(), Vec::<PathBuf>::new());

    let [alices, _] = started(&service, &home);
    let both = home.run(&service.url, &["--game", ID]);
    for (player, column) in [("alice", "D"), ("bob", "E")] {
        both.shows(&format!("{player}, your column"));
        both.types(column);
    }
    both.shows("alice, your column");
    assert_eq!(service.columns(ID), "DE");
    // A token belongs to one player.
    let mut other = Home::new().run_with_token(&service.url, &["--game", ID], Some(&alices));
    assert_eq!(other.ends(), Some(1));
    other.shows("the token of alice is not on this machine");
    assert_eq!(
        service.ask(Method::GET, &format!("/games/{ID}"), None)["protected"],
        true
    );
}

#[test]
fn another_program_starts_a_protected_game_with_a_secret_key_and_moves_with_the_tokens() {
    let service = Service::start();
    service.block_on(async {
        let client = Client::new(&service.url).expect("a URL");
        let key = IdempotencyKey::secret().expect("a random source");
        let names = ["alice", "bob"];
        let started = client.start_protected_game(names, &key).await;
        let StartedGame { game, tokens } = started.expect("a game");
        let again = client.start_protected_game(names, &key).await;
        assert_eq!(again.expect("the same game").tokens, tokens);
        let first = Move {
            player: "alice",
            column: "D",
            revision: 0,
        };
        for (token, slug) in [
            (None, Some("token-required")),
            (Some(tokens.player_two), Some("not-your-seat")),
            (Some(tokens.player_one), None),
        ] {
            let client = client.clone().with_token(token);
            let moved = client
                .make_move(game.id, &first, &IdempotencyKey::new())
                .await;
            match (moved, slug) {
                (Ok(moved), None) => assert_eq!(moved.revision, 1),
                (Err(error), Some(slug)) => assert!(error.is(slug), "{error}"),
                (moved, slug) => panic!("{moved:?}, not {slug:?}"),
            }
        }
    });
}
