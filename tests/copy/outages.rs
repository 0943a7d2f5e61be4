//! Stores that stop answering while they are copied.

use std::sync::Arc;
use std::time::Duration;

use connect_four::cli::copy::{CopyError, OnDifference, Transfer};
use connect_four::event_store::{EventStore, MemoryStore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::double::{Double, Fault};
use crate::histories::{assert_equal, store_game, store_games};
use crate::program::{Program, run};
use crate::stores::{Files, at, to_read};
use crate::troubled::Troubled;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_goes_away_and_comes_back_gets_everything_once() {
    let files = Files::new();
    let mut double = Double::start().await;
    let (from, to) = (files.url("from.db"), double.connection_string());
    let source = at(&from).await;
    store_games(&*source, 300).await;
    drop(source);
    for fault in [Fault::LoseRequest, Fault::LoseAnswer, Fault::GiveUpWaiting] {
        double.fail_next_append(fault);
    }
    double.be_unavailable(Some("for maintenance"));
    let mut program = Program::start(&["copy", "--from", &from, "--to", &to]);
    program.says("Copying ").await;
    program.says("trying again").await;
    double.be_unavailable(None);
    double.restart().await;
    let (code, said) = program.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert_equal(&*to_read(&from).await, &*to_read(&to).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_goes_away_and_comes_back_is_read_to_its_end() {
    let files = Files::new();
    let mut double = Double::start().await;
    let (from, to) = (double.connection_string(), files.url("to.db"));
    let source = at(&from).await;
    store_games(&*source, 200).await;
    double.stop().await;
    let program = Program::start(&["copy", "--from", &from, "--to", &to]);
    double.start_again();
    double.cut_next_read_short();
    let (code, said) = program.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert_equal(&*source, &*to_read(&to).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_waited_for_and_then_the_copy_continues() {
    let files = Files::new();
    let (from, to) = (files.url("from.db"), files.url("to.db"));
    let source = at(&from).await;
    store_games(&*source, 300).await;
    drop(source);
    let mut program = Program::limited(200, &["copy", "--from", &from, "--to", &to]);
    program.says("trying again").await;
    let id = i32::try_from(program.id()).expect("a process id");
    let unlimited = Some((rlimit::INFINITY, rlimit::INFINITY));
    rlimit::prlimit(id, rlimit::Resource::FSIZE, unlimited, None).expect("a process of ours");
    let (code, said) = program.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert_equal(&*to_read(&from).await, &*to_read(&to).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_before_the_end_says_to_run_it_again() {
    let files = Files::new();
    let double = Double::start().await;
    let (from, to) = (files.url("from.db"), double.connection_string());
    let source = at(&from).await;
    store_game(&*source, 3).await;
    drop(source);
    double.be_unavailable(Some("for maintenance"));
    for name in ["INT", "TERM"] {
        let mut program = Program::start(&["copy", "--from", &from, "--to", &to]);
        program.says("Copying ").await;
        program.signal(name).await;
        let (code, _) = program.end().await;
        assert_eq!(code, Some(4));
    }
    double.be_unavailable(None);
    let (code, said) = run(&["copy", "--from", &from, "--to", &to]).await;
    assert_eq!(code, Some(0), "{said}");
}

fn assert_says_to_run_it_again(outcome: Result<(), CopyError>) {
    let error = outcome.expect_err("a store is away");
    assert!(matches!(error, CopyError::Unanswered(_)), "{error}");
    assert!(
        error.to_string().contains("run the same command again"),
        "{error}"
    );
}

/// The clock of these tests is not that of the machine: it moves on whenever everything waits.
#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_come_back_within_half_a_minute_ends_the_copy() {
    let kept = Arc::new(MemoryStore::new());
    store_game(&*kept, 3).await;
    for (source, target) in [
        (kept.clone() as Arc<dyn EventStore>, Troubled::goes_away()),
        (Troubled::goes_away(), kept),
    ] {
        let transfer = Transfer::new(source, target, OnDifference::Stop);
        let began = Instant::now();
        let copied = timeout(Duration::from_secs(60 * 60), transfer.copy()).await;
        assert_says_to_run_it_again(copied.expect("an end in time").map(drop));
        let waited = began.elapsed().as_secs();
        assert!((30..45).contains(&waited), "{waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn while_it_follows_a_copy_waits_for_any_time_and_after_the_stop_half_a_minute() {
    let source = Arc::new(MemoryStore::new());
    store_game(&*source, 3).await;
    let target = Troubled::goes_away();
    let transfer = Transfer::new(source, target, OnDifference::Stop);
    let stop = CancellationToken::new();
    let follow = transfer.follow(None, &stop);
    tokio::pin!(follow);
    let early = timeout(Duration::from_secs(24 * 60 * 60), &mut follow).await;
    early.expect_err("it waits");
    stop.cancel();
    let outcome = timeout(Duration::from_secs(35), follow).await;
    assert_says_to_run_it_again(outcome.expect("an end in time"));
}
