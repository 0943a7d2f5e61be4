//! The program is killed again and again while it copies.

use std::time::Duration;

use crate::double::Double;
use crate::histories::{assert_equal, store_games};
use crate::program::{Program, verify};
use crate::stores::{Files, at, to_read};

/// Kills the copy after random times until one ends by itself. Returns how often it was killed.
async fn copy_with_kills(from: &str, to: &str, longest: Duration) -> usize {
    let arguments = ["copy", "--from", from, "--to", to];
    for kills in 0.. {
        let mut program = Program::start(&arguments);
        program.says("Copying ").await;
        // The first one is killed at once. A copy gets further with every attempt, and so does the time
        // that it is given.
        let time = match kills {
            0 => Duration::ZERO,
            _ => longest.mul_f64(fastrand::f64()) + Duration::from_millis(40 * kills),
        };
        let ended = tokio::time::timeout(time, program.says("Copied ")).await;
        if ended.is_ok() {
            let (code, said) = program.end().await;
            assert_eq!(code, Some(0), "{said}");
            return usize::try_from(kills).expect("a few");
        }
        program.kill().await;
    }
    unreachable!("the loop has no end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_kills_lose_nothing_and_store_nothing_twice() {
    let files = Files::new();
    let from = files.url("from.db");
    let source = at(&from).await;
    store_games(&*source, 200).await;
    drop(source);
    let double = Double::start().await;
    for to in [files.url("to.db"), double.connection_string()] {
        let kills = copy_with_kills(&from, &to, Duration::from_millis(300)).await;
        assert!(kills > 0, "it was never killed");
        assert_equal(&*to_read(&from).await, &*to_read(&to).await).await;
        let (code, said) = verify(&from, &to).await;
        assert_eq!(code, Some(0), "{said}");
    }
    // And from KurrentDB to a file.
    let (from, to) = (double.connection_string(), files.url("back.db"));
    copy_with_kills(&from, &to, Duration::from_millis(300)).await;
    assert_equal(&*to_read(&files.url("from.db")).await, &*to_read(&to).await).await;
}
