//! `--follow`, when something fails or is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::count::Count;
use crate::double::Double;
use crate::histories::{assert_equal, store_games};
use crate::program::{Program, run};
use crate::stores::{Files, at, to_read};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn following_survives_kills_and_a_target_that_goes_away() {
    let files = Files::new();
    let mut double = Double::start().await;
    let (from, to) = (files.url("from.db"), double.connection_string());
    let writing = Arc::new(AtomicBool::new(true));
    let rounds = Count::default();
    let writer = {
        let (from, writing, rounds) = (from.clone(), writing.clone(), rounds.clone());
        let source = at(&from).await;
        tokio::spawn(async move {
            while writing.load(Ordering::Relaxed) {
                store_games(&*source, 5).await;
                rounds.increase();
            }
        })
    };
    rounds.increases_by(1).await;
    let arguments = ["copy", "--from", &from, "--to", &to, "--follow"];
    for _ in 0..3 {
        let mut copy = Program::start(&arguments);
        copy.says("following").await;
        rounds.increases_by(2).await;
        copy.kill().await;
    }
    let mut copy = Program::start(&arguments);
    copy.says("following").await;
    double.stop().await;
    copy.says("trying again").await;
    double.start_again();
    rounds.increases_by(2).await;
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
