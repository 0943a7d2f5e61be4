//! Stores that stop answering while they are copied.

use std::time::Duration;

use async_trait::async_trait;
use connect_four::cli::copy::{CopyError, OnDifference, Transfer};
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use std::sync::Arc;

use crate::double::{Double, Fault};
use crate::histories::{assert_equal, store_game, store_games};
use crate::program::{Program, run};
use crate::stores::{Files, at, to_read};

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

/// A store that answers no append.
#[derive(Debug, Default)]
struct Silent(MemoryStore);

#[async_trait]
impl EventStore for Silent {
    async fn append(
        &self,
        _stream: &StreamName,
        _expected: ExpectedRevision,
        _events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        Err(EventStoreError::Unavailable {
            reason: "away".to_owned(),
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.0.read_stream(stream, from).await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        self.0.read_all(prefix, after, limit).await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.0.event_at(position).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        self.0.subscribe_all(prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.0.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.0.check().await
    }

    fn location(&self) -> String {
        self.0.location()
    }
}

/// The clock of the test is not that of the machine: it moves on whenever everything waits.
#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_come_back_within_half_a_minute_ends_the_copy() {
    let source = Arc::new(MemoryStore::new());
    store_game(&*source, 3).await;
    let transfer = Transfer::new(source, Arc::new(Silent::default()), OnDifference::Stop);
    let began = tokio::time::Instant::now();
    let error = transfer.copy().await.expect_err("the target is away");
    assert!(matches!(error, CopyError::Unanswered(_)), "{error}");
    assert!(
        error.to_string().contains("run the same command again"),
        "{error}"
    );
    let waited = began.elapsed();
    assert!((30..35).contains(&waited.as_secs()), "{waited:?}");
    assert!(waited < Duration::from_secs(60));
}
