//! A service moves to another store while clients play, in the steps that an operator takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use connect_four::application::GameId;
use connect_four::client::{Client, Game, IdempotencyKey, Move, RetryPolicy};
use connect_four::event_store::StreamRevision;
use futures_util::future::join_all;

use crate::count::Count;
use crate::double::Double;
use crate::histories::store_whole_games;
use crate::program::{Program, verify};
use crate::stores::{Files, at, to_read};

const CLIENTS: usize = 8;

/// What one client has played.
struct Played {
    games: Vec<Game>,
    /// The longest time that it waited for an answer.
    longest: Duration,
}

/// Plays games until `goes_on` is false. Every request is repeated until it is answered.
async fn play(url: String, goes_on: Arc<AtomicBool>, answers: Count) -> Played {
    let client = Client::new(&url).expect("a URL");
    let client = client.with_retry_policy(RetryPolicy {
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(200),
        ..RetryPolicy::default()
    });
    let mut played = Played {
        games: Vec::new(),
        longest: Duration::ZERO,
    };
    while goes_on.load(Ordering::Relaxed) {
        let key = IdempotencyKey::new();
        let asked = Instant::now();
        let game = client.start_game(["ada", "grace"], &key).await;
        let mut game = game.expect("an answer");
        played.longest = played.longest.max(asked.elapsed());
        let mut columns = "ABABABA".chars();
        while let Some(player) = &game.next_player
            && goes_on.load(Ordering::Relaxed)
        {
            let column = columns.next().expect("ada wins before").to_string();
            let player_move = Move {
                player: player.as_str(),
                column: &column,
                revision: game.revision,
            };
            let key = IdempotencyKey::new();
            let asked = Instant::now();
            let moved = client.make_move(game.id, &player_move, &key).await;
            game = moved.expect("an answer");
            played.longest = played.longest.max(asked.elapsed());
            answers.increase();
        }
        played.games.push(game);
    }
    played
}

/// Moves a service with this many games from a file to the store at this URL. Returns the longest time
/// that a client waited for an answer.
#[expect(clippy::print_stdout, reason = "the large test is run for its figures")]
async fn move_while_clients_play(games: usize, files: &Files, to: &str) -> Duration {
    let from = &files.url("from.db");
    let events = store_whole_games(at(from).await, games).await;
    let (service, url) = Program::serve(from).await;
    let (goes_on, answers) = (Arc::new(AtomicBool::new(true)), Count::default());
    let players: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(play(url.clone(), goes_on.clone(), answers.clone())))
        .collect();
    answers.increases_by(20).await;

    let began = Instant::now();
    let mut copy = Program::start(&["copy", "--from", from, "--to", to, "--follow"]);
    copy.says("following").await;
    let copied = began.elapsed();
    answers.increases_by(100).await;

    let began = Instant::now();
    service.signal("TERM").await;
    service.end().await;
    let stopped = began.elapsed();
    copy.signal("TERM").await;
    let (code, said) = copy.end().await;
    assert_eq!(code, Some(0), "{said}");
    let caught_up = began.elapsed();
    let address = url.strip_prefix("http://").expect("a URL");
    let (service, _) = Program::serve_at(address, to).await;
    let started = began.elapsed();
    answers.increases_by(100).await;

    goes_on.store(false, Ordering::Relaxed);
    let played = join_all(players).await;
    let played: Vec<_> = played
        .into_iter()
        .map(|one| one.expect("no panic"))
        .collect();
    service.signal("TERM").await;
    service.end().await;
    // A client repeats a move until it is answered. So each one is stored, and stored once.
    let target = to_read(to).await;
    for game in played.iter().flat_map(|one| &one.games) {
        let stream = GameId::from_uuid(game.id).stream();
        let stored = target.read_stream(&stream, StreamRevision::FIRST).await;
        let stored = stored.expect("the store answers").events;
        assert_eq!(stored.len() as u64, game.revision + 1, "{stream}");
    }
    drop(target);
    let (code, said) = verify(from, to).await;
    assert_eq!(code, Some(0), "{said}");
    let longest = played.iter().map(|one| one.longest).max();
    let longest = longest.expect("there are clients");
    println!(
        "{games} games with {events} events were copied in {copied:.1?} while {CLIENTS} clients \
         played. The old service ended after {stopped:.2?}, the copy after {caught_up:.2?}, the new \
         service was ready after {started:.2?}; the longest time without an answer: {longest:.2?}"
    );
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_moves_while_clients_play_and_no_answered_move_is_lost() {
    let double = Double::start().await;
    let files = [Files::new(), Files::new()];
    move_while_clients_play(2_000, &files[0], &double.connection_string()).await;
    move_while_clients_play(200, &files[1], &files[1].url("to.db")).await;
}

/// Prints the times. `cargo test --release --test copy 100_000 -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute with a release build"]
async fn a_service_with_100_000_games_moves_with_less_than_five_seconds_without_answers() {
    let (files, double) = (Files::new(), Double::start().await);
    let longest = move_while_clients_play(100_000, &files, &double.connection_string()).await;
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}
