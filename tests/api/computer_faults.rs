//! The computer when the store fails, when a game is unreadable, and when the program is killed.

use std::time::Duration;

use connect_four::application::GameId;
use connect_four::event_store::{ExpectedRevision, NewEvent, StreamRevision};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::computer::{
    after_the_reply, column_for, is_a_finished_game, metric, move_in, play_to_the_end, start, until,
};
use crate::double::Double;
use crate::faults::{Fault, Faulty};
use crate::program::Program;
use crate::service::{Client, Service, on_every_store};

const RETRIES: &str = "connect_four_computer_retries_total";

on_every_store! {
    async fn a_failing_store_delays_a_reply_and_does_not_lose_it(human: Service) {
        for (fault, reads_too, reason) in [
            (Fault::Unavailable, true, "store"),
            (Fault::Unavailable, false, "store"),
            (Fault::OutcomeUnknown, false, "store"),
            (Fault::AccessDenied, true, "store"),
            (Fault::Corrupt, true, "store"),
            (Fault::Panic, true, "defect"),
        ] {
            let store = Faulty::around(human.store.clone(), fault, reads_too);
            // Its own name, so that the computers of the other faults do not play in this game.
            let name = format!("computer {fault:?} {reads_too}");
            let computer = Service::with_computer_named(store.clone(), &name).await;
            computer.is_ready().await;
            store.switch_on();
            let game = start(&human, ["alice", &name]).await;
            move_in(&human, &game, "alice", "D").await;
            let retries = format!("{RETRIES}{{reason=\"{reason}\"}}");
            until(
                &format!("after {fault:?} the reply is tried twice"),
                async || metric(&computer, &retries).await >= 2,
            )
            .await;
            assert_eq!(human.get(&game).await.json()["revision"], 1);
            store.switch_off();
            let replied = after_the_reply(&human, &game, "alice").await;
            assert_eq!(replied["revision"], 2, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_move_that_hangs_is_given_up_after_ten_seconds_and_tried_again() {
    let store = Faulty::new(Fault::Hang, false);
    let computer = Service::with_computer(store.clone()).await;
    let human = Service::on(store.without_fault()).await;
    let given_up = async || metric(&computer, &format!("{RETRIES}{{reason=\"timeout\"}}")).await;
    computer.is_ready().await;
    store.switch_on();
    let game = start(&human, ["computer", "alice"]).await;
    store.has_struck().await;
    later(Duration::from_secs(8)).await;
    assert_eq!(given_up().await, 0);
    store.switch_off();
    later(Duration::from_secs(2)).await;
    until("it is given up", async || given_up().await == 1).await;
    let replied = after_the_reply(&human, &game, "alice").await;
    assert_eq!(replied["revision"], 1);
}

/// Lets this time pass at once. Only then, because a clock that stands would jump to the next timeout
/// whenever the solver, which has its own threads, is waited for.
async fn later(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_game_is_tried_again_and_does_not_delay_the_others() {
    let service = Service::on_memory().await;
    let computer = Service::with_computer(service.store.clone()).await;
    let game = start(&service, ["computer", "alice"]).await;
    after_the_reply(&service, &game, "alice").await;
    let id: GameId = game["/games/".len()..].parse().expect("an id");
    let garbage = NewEvent {
        id: uuid::Uuid::new_v4(),
        event_type: "MoveMade".into(),
        data: "{}".into(),
        metadata: "".into(),
    };
    let after = ExpectedRevision::Exact(StreamRevision::new(1));
    let stream = id.stream();
    let appended = service.store.append(&stream, after, vec![garbage]);
    appended.await.expect("the store does not read it");
    until("it is tried again", async || {
        metric(&computer, &format!("{RETRIES}{{reason=\"unreadable\"}}")).await >= 3
    })
    .await;
    let other = start(&service, ["alice", "computer"]).await;
    move_in(&service, &other, "alice", "D").await;
    let replied = after_the_reply(&service, &other, "alice").await;
    assert_eq!(replied["revision"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_games_than_the_queue_holds_all_get_their_reply() {
    let service = Service::on_memory().await;
    let mut games = Vec::new();
    for number in 0..300 {
        let game = start(&service, ["alice", "computer"]).await;
        let column = ["A", "B", "C", "D", "E", "F", "G"][number % 7];
        move_in(&service, &game, "alice", column).await;
        games.push(game);
    }
    let computer = Service::with_computer(service.store.clone()).await;
    for game in &games {
        let replied = after_the_reply(&computer, game, "alice").await;
        assert_eq!(replied["revision"], 2);
    }
    assert_eq!(metric(&computer, "connect_four_computer_queue ").await, 0);
    let refused = format!("{RETRIES}{{reason=\"queue-full\"}}");
    assert!(metric(&computer, &refused).await > 0, "the queue was full");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_go_on_when_the_database_was_away() {
    let mut double = Double::start().await;
    let replicas = [
        computer_on(&double).await,
        computer_on(&double).await,
        computer_on(&double).await,
    ];
    let clients: Vec<&Client> = replicas.iter().map(|replica| &**replica).collect();
    let games = join_all((0..4).map(|_| start(clients[0], ["alice", "computer"]))).await;
    for outage in 0..3 {
        for game in &games {
            let state = after_the_reply(clients[1], game, "alice").await;
            move_in(clients[2], game, "alice", &column_for(&state, outage)).await;
        }
        // Some replies are stored, some are under way, and some have not begun.
        double.stop().await;
        double.start_again();
        for client in &clients {
            until("it is ready", async || {
                client.get("/readyz").await.status == 200
            })
            .await;
        }
    }
    for (seed, game) in games.iter().enumerate() {
        play_to_the_end(&clients, game, "alice", seed).await;
        is_a_finished_game(clients[0], game, ["alice", "computer"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_backup_is_restored_the_computer_replies_in_the_restored_games() {
    let mut double = Double::start().await;
    let without = Service::at(&double.connection_string()).await;
    let game = start(&without, ["alice", "computer"]).await;
    move_in(&without, &game, "alice", "D").await;
    let backup = double.snapshot();
    let computer = computer_on(&double).await;
    after_the_reply(&computer, &game, "alice").await;
    for _ in 0..3 {
        let lost = start(&computer, ["computer", "alice"]).await;
        after_the_reply(&computer, &lost, "alice").await;
    }

    double.stop().await;
    double.restore(&backup);
    double.start_again();
    until("the reply is stored again", async || {
        let answer = computer.get(&game).await;
        answer.status == 200 && answer.json()["revision"] == 2
    })
    .await;
    let new = start(&computer, ["computer", "alice"]).await;
    after_the_reply(&computer, &new, "alice").await;
}

async fn computer_on(double: &Double) -> Service {
    let store = connect_four::event_store::open(&double.connection_string()).await;
    Service::with_computer(store.expect("it opens")).await
}

/// Games that are played at the same time while the program is killed again and again.
const KILLED_GAMES: usize = 100;

/// The games end after about 15. The last of these runs takes 2 s.
const MOST_KILLS: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_move_gets_one_reply_when_the_program_is_killed_at_random_times() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let arguments = ["--event-store", &url, "--computer-level", "easy"];
    let mut games: Vec<String> = Vec::new();
    let mut kills = 0;
    loop {
        let program = Program::start(&arguments).await;
        let client = &program.client;
        while games.len() < KILLED_GAMES {
            games.push(start(client, ["alice", "computer"]).await);
        }
        let players = games.iter().enumerate().map(async |(seed, game)| {
            while let Some(state) = reply(client, game).await {
                if state["is_finished"] == true {
                    return true;
                }
                let body = json!({"player": "alice", "column": column_for(&state, seed)});
                let made = client.request(Method::POST, &format!("{game}/moves"));
                let Ok(answer) = made.json(&body).try_send().await else {
                    return false;
                };
                answer.is(201);
            }
            false
        });
        // Longer after each kill, so that the games come to an end.
        let until_the_kill = Duration::from_millis(up_to_150() + 20 * kills);
        let finished = tokio::time::timeout(until_the_kill, join_all(players)).await;
        program.kill().await;
        if finished.is_ok_and(|finished| finished.iter().all(|is_finished| *is_finished)) {
            break;
        }
        kills += 1;
        assert!(kills < MOST_KILLS, "a game waits for a reply");
    }
    assert!(kills >= 3, "killed {kills} times");
    let program = Program::start(&arguments).await;
    for game in &games {
        is_a_finished_game(&program.client, game, ["alice", "computer"]).await;
    }
}

/// A random number of milliseconds.
fn up_to_150() -> u64 {
    let random = uuid::Uuid::new_v4().as_u128() % 150;
    u64::try_from(random).expect("small")
}

/// The game after the computer's move; `None` when the program was killed.
async fn reply(client: &Client, game: &str) -> Option<Value> {
    let mut known = client.request(Method::GET, game).try_send().await.ok()?;
    loop {
        let state = known.json();
        if state["is_finished"] == true || state["next_player"] == "alice" {
            return Some(state);
        }
        let wait = client.request(Method::GET, game);
        let wait = wait.header("if-none-match", known.header("etag"));
        let answer = wait.header("prefer", "wait=5").try_send().await.ok()?;
        if answer.status != 304 {
            known = answer.is(200);
        }
    }
}

#[tokio::test]
async fn the_program_plays_under_the_name_and_at_the_level_of_its_settings() {
    let arguments = ["--event-store", "memory:", "--computer", "hal"];
    let program = Program::start(&[&arguments[..], &["--computer-level", "hard"]].concat()).await;
    let client = &program.client;
    let of_others = start(client, ["computer", "alice"]).await;
    let game = start(client, ["hal", "alice"]).await;
    after_the_reply(client, &game, "alice").await;
    assert_eq!(client.get(&of_others).await.json()["revision"], 0);
}
