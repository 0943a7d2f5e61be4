//! `--follow`: a service is moved while clients play.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::double::Double;
use crate::histories::{assert_equal, store_games};
use crate::program::{Program, run, verify};
use crate::stores::{Files, at, to_read};

/// Plays games until a request is not answered. Returns the path of the last game and the number of
/// its moves that were acknowledged.
async fn play(url: String, answered: Arc<AtomicUsize>) -> (String, usize) {
    let http = reqwest::Client::new();
    let mut last = (String::new(), 0);
    loop {
        let names = json!({"player_one": "ada", "player_two": "grace"});
        let Ok(started) = http.post(format!("{url}/games")).json(&names).send().await else {
            return last;
        };
        let Ok(game) = started.json::<Value>().await else {
            return last;
        };
        let Some(id) = game["id"].as_str() else {
            return last;
        };
        last = (format!("/games/{id}"), 0);
        for (player, column) in ["ada", "grace"]
            .into_iter()
            .cycle()
            .zip("ABABABCDCDCD".chars())
        {
            let body = json!({"player": player, "column": column.to_string()});
            let moved = http.post(format!("{url}{}/moves", last.0)).json(&body);
            match moved.send().await {
                Ok(moved) if moved.status() == 201 => last.1 += 1,
                Ok(_) | Err(_) => return last,
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn reaches(count: &AtomicUsize, target: usize) {
    while count.load(Ordering::Relaxed) < target {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_moves_while_clients_play_and_no_acknowledged_move_is_lost() {
    let files = Files::new();
    let double = Double::start().await;
    let from = files.url("from.db");
    let source = at(&from).await;
    store_games(&*source, 200).await;
    drop(source);
    for to in [double.connection_string(), files.url("to.db")] {
        let (service, url) = Program::serve(&from).await;
        let answered = Arc::new(AtomicUsize::new(0));
        let players: Vec<_> = (0..4)
            .map(|_| tokio::spawn(play(url.clone(), answered.clone())))
            .collect();
        reaches(&answered, 20).await;
        let mut copy = Program::start(&["copy", "--from", &from, "--to", &to, "--follow"]);
        copy.says("following").await;
        let before = answered.load(Ordering::Relaxed);
        reaches(&answered, before + 100).await;

        service.signal("TERM").await;
        service.end().await;
        let mut games = Vec::new();
        for player in players {
            games.push(player.await.expect("no panic"));
        }
        copy.signal("TERM").await;
        let (code, said) = copy.end().await;
        assert_eq!(code, Some(0), "{said}");

        let (code, said) = verify(&from, &to).await;
        assert_eq!(code, Some(0), "{said}");
        assert_equal(&*to_read(&from).await, &*to_read(&to).await).await;
        let (_service, url) = Program::serve(&to).await;
        for (path, moves) in games {
            let game = reqwest::get(format!("{url}{path}"))
                .await
                .expect("an answer");
            let game: Value = game.json().await.expect("JSON");
            assert!(game["revision"].as_u64() >= Some(moves as u64), "{game}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn following_survives_kills_and_a_target_that_goes_away() {
    let files = Files::new();
    let mut double = Double::start().await;
    let (from, to) = (files.url("from.db"), double.connection_string());
    let writing = Arc::new(AtomicBool::new(true));
    let rounds = Arc::new(AtomicUsize::new(0));
    let writer = {
        let (from, writing, rounds) = (from.clone(), writing.clone(), rounds.clone());
        let source = at(&from).await;
        tokio::spawn(async move {
            while writing.load(Ordering::Relaxed) {
                store_games(&*source, 5).await;
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    reaches(&rounds, 1).await;
    let arguments = ["copy", "--from", &from, "--to", &to, "--follow"];
    for _ in 0..3 {
        let mut copy = Program::start(&arguments);
        copy.says("following").await;
        let before = rounds.load(Ordering::Relaxed);
        reaches(&rounds, before + 2).await;
        copy.kill().await;
    }
    let mut copy = Program::start(&arguments);
    copy.says("following").await;
    double.stop().await;
    copy.says("trying again").await;
    double.start_again();
    let before = rounds.load(Ordering::Relaxed);
    reaches(&rounds, before + 2).await;
    writing.store(false, Ordering::Relaxed);
    writer.await.expect("no panic");
    copy.signal("INT").await;
    let (code, said) = copy.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert_equal(&*to_read(&from).await, &*to_read(&to).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_signal_ends_at_once() {
    let files = Files::new();
    let double = Double::start().await;
    let (from, to) = (files.url("from.db"), double.connection_string());
    let source = at(&from).await;
    store_games(&*source, 2).await;
    let mut copy = Program::start(&["copy", "--from", &from, "--to", &to, "--follow"]);
    copy.says("following").await;
    double.be_unavailable(Some("for maintenance"));
    store_games(&*source, 2).await;
    copy.says("trying again").await;
    copy.signal("TERM").await;
    // Signals of one kind that wait for a process are one signal, so the second is another.
    copy.signal("INT").await;
    let (code, _) = copy.end().await;
    assert_eq!(code, Some(4));
    double.be_unavailable(None);
    let (code, said) = run(&["copy", "--from", &from, "--to", &to]).await;
    assert_eq!(code, Some(0), "{said}");
}
