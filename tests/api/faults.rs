//! An event store that fails, hangs, panics or hesitates: what clients hear of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use connect_four::application::GameId;
use connect_four::event_store::{
    Appended, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, MemoryStore, NewEvent,
    StreamName, StreamRevision, StreamSlice, Subscription, SubscriptionMessage,
};
use connect_four::http::{App, router};
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::service::Service;

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Unavailable,
    OutcomeUnknown,
    Corrupt,
    Deleted,
    Panic,
    Hang,
}

const SECRET: &str = "sqlite3_step() failed at /var/lib/secret";

impl Fault {
    async fn strike(self) -> EventStoreError {
        let reason = SECRET.to_owned();
        match self {
            Fault::Unavailable => EventStoreError::Unavailable { reason },
            Fault::OutcomeUnknown => EventStoreError::OutcomeUnknown { reason },
            Fault::Corrupt => EventStoreError::Corrupt { reason },
            Fault::Deleted => EventStoreError::StreamDeleted {
                stream: StreamName::new("game-x").expect("a name"),
            },
            Fault::Panic => panic!("{SECRET}"),
            Fault::Hang => std::future::pending().await,
        }
    }
}

/// A store that works until the fault is switched on.
#[derive(Debug)]
struct Faulty {
    store: MemoryStore,
    fault: Fault,
    on: AtomicBool,
    reads_too: bool,
}

impl Faulty {
    fn new(fault: Fault, reads_too: bool) -> Arc<Faulty> {
        Arc::new(Faulty {
            store: MemoryStore::new(),
            fault,
            on: AtomicBool::new(false),
            reads_too,
        })
    }

    fn switch_on(&self) {
        self.on.store(true, Ordering::SeqCst);
    }

    fn is_on(&self) -> bool {
        self.on.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl EventStore for Faulty {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        if self.is_on() {
            return Err(self.fault.strike().await);
        }
        self.store.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        if self.is_on() && self.reads_too {
            return Err(self.fault.strike().await);
        }
        self.store.read_stream(stream, from).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        self.store.subscribe_all(prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.store.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        if self.is_on() {
            return Err(self.fault.strike().await);
        }
        Ok(())
    }

    fn location(&self) -> String {
        self.store.location()
    }
}

/// What a move and a look at the game are answered with when the store fails like this.
async fn assert_fault(fault: Fault, status: u16, slug: &str) {
    let store = Faulty::new(fault, true);
    let service = Service::on(store.clone()).await;
    let game = service.game_with("D").await;
    store.switch_on();

    for answer in [game.move_by("grace", "D").await, game.get("").await] {
        let retry_after = answer.header("retry-after").to_owned();
        assert_eq!(retry_after.is_empty(), status != 503);
        let problem = answer.is_problem(status, slug).to_string();
        assert!(!problem.contains("sqlite3") && !problem.contains("secret"));
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_unavailable() {
    assert_fault(Fault::Unavailable, 503, "store-unavailable").await;
}

#[tokio::test]
async fn damaged_storage_is_an_internal_error() {
    assert_fault(Fault::Corrupt, 500, "internal-error").await;
}

#[tokio::test]
async fn a_deleted_game_is_gone() {
    assert_fault(Fault::Deleted, 410, "game-deleted").await;
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_service_goes_on() {
    let store = Faulty::new(Fault::Panic, true);
    let service = Service::on(store.clone()).await;
    let game = service.game_with("D").await;
    store.switch_on();
    let problem = game.get("").await.is_problem(500, "internal-error");
    assert!(!problem.to_string().contains("secret"));
    service.get("/livez").await.is(200);
}

#[tokio::test]
async fn an_append_with_an_unknown_outcome_is_said_to_be_one() {
    for fault in [Fault::OutcomeUnknown, Fault::Panic] {
        let store = Faulty::new(fault, false);
        let service = Service::on(store.clone()).await;
        let game = service.game_with("D").await;
        store.switch_on();
        let problem = game.move_by("grace", "D").await;
        let problem = problem.is_problem(504, "outcome-unknown");
        assert!(problem["retry_with"].is_string());
    }
}

#[tokio::test]
async fn a_service_without_its_store_is_alive_and_not_ready() {
    let store = Faulty::new(Fault::Unavailable, true);
    let service = Service::on(store.clone()).await;
    service.get("/readyz").await.is(200);
    store.switch_on();
    service
        .get("/readyz")
        .await
        .is_problem(503, "store-unavailable");
    service.get("/livez").await.is(200);
}

/// Without sockets, so that five seconds pass at once.
#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_not_waited_for_for_ever() {
    let store = Faulty::new(Fault::Hang, true);
    let app = router(App::new(store.clone()));
    store.switch_on();
    let game = "/games/01a20715-267e-7489-b4cd-306001f15c27";
    let body = json!({"player": "ada", "column": "D"}).to_string();
    let look = Request::get(game).body(Body::empty());
    let move_ = Request::post(format!("{game}/moves"))
        .header("content-type", "application/json")
        .body(Body::from(body));
    let ready = Request::get("/readyz").body(Body::empty());
    for (request, status) in [(look, 503), (move_, 504), (ready, 503)] {
        let request = request.expect("a request");
        let answer = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), status);
    }
}

/// Appends wait until the test lets them through.
#[derive(Debug)]
struct Hesitant {
    store: MemoryStore,
    asked: Semaphore,
    let_through: Semaphore,
}

#[async_trait]
impl EventStore for Hesitant {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        self.asked.add_permits(1);
        let permit = self.let_through.acquire().await.expect("never closed");
        permit.forget();
        self.store.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        self.store.read_stream(stream, from).await
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        self.store.subscribe_all(prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.store.head().await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        Ok(())
    }

    fn location(&self) -> String {
        self.store.location()
    }
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_an_append_does_not_cut_it() {
    let store = Arc::new(Hesitant {
        store: MemoryStore::new(),
        asked: Semaphore::new(0),
        let_through: Semaphore::new(1),
    });
    let service = Service::on(store.clone()).await;
    let game = service.start_game("ada", "grace").await;
    let asked = store.asked.acquire().await.expect("never closed");
    asked.forget();

    let move_ = service
        .request(Method::POST, &game.path("/moves"))
        .json(&json!({"player": "ada", "column": "D"}));
    let client = tokio::spawn(move_.try_send());
    let _asked = store.asked.acquire().await.expect("never closed");
    client.abort();
    assert!(client.await.is_err_and(|error| error.is_cancelled()));
    // A service that has stopped has let go of the request.
    let stream = game.id.parse::<GameId>().expect("an id").stream();
    service.stop().await;
    store.let_through.add_permits(1);

    let mut events = store.subscribe_all("game-", None);
    loop {
        let next = timeout(Duration::from_secs(10), events.next()).await;
        match next.expect("the move comes") {
            Some(SubscriptionMessage::Recorded(event)) if event.event_type == "MoveMade" => {
                assert_eq!(event.stream, stream);
                break;
            }
            Some(_) => {}
            None => panic!("a subscription does not end"),
        }
    }
}
