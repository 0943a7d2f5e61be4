//! The answers to clients when the event store fails, hangs or panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use connect_four::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition,
    MemoryStore, NewEvent, RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use connect_four::http::{App, router};
use reqwest::Method;
use serde_json::json;
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::service::{Answer, Service};

const KEY: &str = "5f0c7a52-9d5e-4a6e-8b52-1f6f5a0a7c11";

/// The kind of failure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Unavailable,
    AccessDenied,
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
            Fault::AccessDenied => EventStoreError::AccessDenied { reason },
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

/// A store that works until its fault is switched on.
#[derive(Debug)]
pub(crate) struct Faulty {
    store: Arc<dyn EventStore>,
    fault: Fault,
    on: AtomicBool,
    reads_too: bool,
    struck: Notify,
}

impl Faulty {
    pub(crate) fn new(fault: Fault, reads_too: bool) -> Arc<Faulty> {
        Faulty::around(Arc::new(MemoryStore::new()), fault, reads_too)
    }

    /// The same events as in this store.
    pub(crate) fn around(store: Arc<dyn EventStore>, fault: Fault, reads_too: bool) -> Arc<Faulty> {
        Arc::new(Faulty {
            store,
            fault,
            on: AtomicBool::new(false),
            reads_too,
            struck: Notify::new(),
        })
    }

    pub(crate) fn switch_on(&self) {
        self.on.store(true, Ordering::SeqCst);
    }

    pub(crate) fn switch_off(&self) {
        self.on.store(false, Ordering::SeqCst);
    }

    /// Waits until an append has met the fault.
    pub(crate) async fn has_struck(&self) {
        self.struck.notified().await;
    }

    /// The same events, in a store without a fault.
    pub(crate) fn without_fault(&self) -> Arc<dyn EventStore> {
        self.store.clone()
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
            self.struck.notify_one();
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

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        self.store.read_all(prefix, after, limit).await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        self.store.event_at(position).await
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

/// Asserts how a move and a read of the game are answered when the store has this fault.
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
async fn an_unavailable_store_is_answered_with_503() {
    assert_fault(Fault::Unavailable, 503, "store-unavailable").await;
}

#[tokio::test]
async fn a_store_that_denies_access_is_answered_with_store_refused() {
    assert_fault(Fault::AccessDenied, 503, "store-refused").await;
    let store = Faulty::new(Fault::AccessDenied, true);
    let service = Service::on(store.clone()).await;
    service.is_ready().await;
    store.switch_on();
    let not_ready = service.get("/readyz").await;
    not_ready.is_problem(503, "store-refused");
    assert_eq!(not_ready.header("retry-after"), "30");
}

#[tokio::test]
async fn damaged_storage_is_answered_with_an_internal_error() {
    assert_fault(Fault::Corrupt, 500, "internal-error").await;
}

#[tokio::test]
async fn a_deleted_game_is_answered_with_410() {
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
async fn an_unknown_outcome_is_reported_with_a_safe_way_to_send_the_request_again() {
    let store = Faulty::new(Fault::OutcomeUnknown, false);
    let service = Service::on(store.clone()).await;
    let game = service.game_with("D").await;
    store.switch_on();
    let retry_with = |answer: Answer| {
        let problem = answer.is_problem(504, "outcome-unknown");
        assert_eq!(answer.header("retry-after"), "1");
        problem["retry_with"].clone()
    };
    let unknown = game.move_by("grace", "D").await;
    assert_eq!(retry_with(unknown), json!({"If-Match": "\"1\""}));
    let keyed = game
        .move_request("grace", "D")
        .header("idempotency-key", KEY);
    let unknown = keyed.send().await;
    assert_eq!(retry_with(unknown), json!({"Idempotency-Key": KEY}));

    let resignation = service.request(Method::POST, &game.path("/resignation"));
    let resignation = resignation.json(&json!({"player": "ada"}));
    let unknown = resignation.send().await;
    assert_eq!(retry_with(unknown), json!({"If-Match": "\"1\""}));

    let names = json!({"player_one": "ada", "player_two": "grace"});
    let unknown = service.post("/games", names).await;
    assert_eq!(retry_with(unknown)["method"], "PUT");
}

#[tokio::test]
async fn a_service_without_its_store_is_alive_and_not_ready() {
    let store = Faulty::new(Fault::Unavailable, true);
    let service = Service::on(store.clone()).await;
    service.is_ready().await;
    store.switch_on();
    service
        .get("/readyz")
        .await
        .is_problem(503, "store-unavailable");
    service.get("/livez").await.is(200);
}

/// Without sockets, so that paused time can advance by five seconds at once.
#[tokio::test(start_paused = true)]
async fn a_request_to_a_store_that_hangs_times_out() {
    let store = Faulty::new(Fault::Hang, true);
    let app = router(App::new(store.clone()));
    store.switch_on();
    let game = "/games/01a20715-267e-7489-b4cd-306001f15c27";
    let body = json!({"player": "ada", "column": "D"}).to_string();
    let look = Request::get(game)
        .header("host", "localhost")
        .body(Body::empty());
    let move_ = Request::post(format!("{game}/moves"))
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Body::from(body));
    let ready = Request::get("/readyz")
        .header("host", "localhost")
        .body(Body::empty());
    for (request, status) in [(look, 503), (move_, 504), (ready, 503)] {
        let request = request.expect("a request");
        let answer = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_that_timed_out_is_safe_to_send_again_with_its_key_or_condition() {
    let store = Faulty::new(Fault::Hang, true);
    let app = router(App::new(store.clone()));
    store.switch_on();
    let game = "/games/01a20715-267e-7489-b4cd-306001f15c27";
    let a_move = || Request::post(format!("{game}/moves")).header("host", "localhost");
    let ada_to_d = json!({"player": "ada", "column": "D"});
    let names = json!({"player_one": "ada", "player_two": "grace"});
    let put = Request::put(game).header("host", "localhost");
    for (request, body, retry_with) in [
        (
            a_move().header("idempotency-key", KEY),
            &ada_to_d,
            json!({"Idempotency-Key": KEY}),
        ),
        (
            a_move().header("if-match", "\"3\""),
            &ada_to_d,
            json!({"If-Match": "\"3\""}),
        ),
        // The revision of the decision is unknown.
        (a_move().header("if-match", "*"), &ada_to_d, json!(null)),
        (
            a_move().header("if-match", "\"3\", \"4\""),
            &ada_to_d,
            json!(null),
        ),
        (put, &names, json!({"method": "PUT", "url": game})),
    ] {
        let request = request.header("content-type", "application/json");
        let request = request.body(Body::from(body.to_string()));
        let answer = app.clone().oneshot(request.expect("a request")).await;
        let body = answer.expect("infallible").into_body();
        let problem = axum::body::to_bytes(body, 4096).await.expect("a body");
        let problem: serde_json::Value = serde_json::from_slice(&problem).expect("JSON");
        assert_eq!(problem["type"], "/problems/outcome-unknown");
        assert_eq!(problem["retry_with"], retry_with);
    }
}
