//! Measures the KurrentDB adapter against the test double: client and network, without a disk. Run
//! with `cargo bench --bench kurrentdb`.
//!
//! Each figure is compared with a baseline of the same run: an empty gRPC call over the same
//! connection, made with tonic, which stores nothing.

#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

#[path = "../tests/support/kurrentdb/mod.rs"]
#[expect(dead_code, reason = "the benchmark injects no faults")]
mod double;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use connect_four::application::{CommandHandler, CommandOptions, GameId, GameRepository};
use connect_four::domain::{Column, MakeMove, PlayerName, Players, StartGame};
use connect_four::event_store::{
    EventStore, ExpectedRevision, KurrentDbStore, NewEvent, RecordedEvent, StreamName,
    StreamRevision,
};
use connect_four::read_model::{Projecting, ReadModel, StoreObserver};
use hdrhistogram::Histogram;
use tonic::client::Grpc;
use tonic::codec::ProstCodec;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use double::Double;
use double::wire::Empty;
use double::wire_of_nodes::SupportedMethods;

const SEQUENTIAL: usize = 3000;
const CALLERS: usize = 64;
const LOAD: Duration = Duration::from_secs(4);

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let double = Double::start().await;
    println!("one call after another                          p50        p99");

    // Measured first, because the adapter sets the option on every connection of the process.
    one_by_one("append, the crate alone (no TCP_NODELAY)", 60, {
        let settings = double.connection_string().parse();
        let client = kurrentdb::Client::new(settings.expect("a good string")).expect("a client");
        let stream = stream_name();
        move |_| {
            let (client, stream) = (client.clone(), stream.to_string());
            async move {
                let event = kurrentdb::EventData::binary("MoveMade", Bytes::from_static(DATA));
                client
                    .append_to_stream(stream, &Default::default(), event)
                    .await
                    .expect("stored");
            }
        }
    })
    .await;

    let store = Arc::new(open(&double).await);
    let echo = Echo::connect(&double).await;
    one_by_one("an empty call (baseline)", SEQUENTIAL, |_| {
        echo.clone().call()
    })
    .await;
    let stream = stream_name();
    one_by_one("append", SEQUENTIAL, |number| {
        append(store.clone(), stream.clone(), number)
    })
    .await;
    one_by_one("read of the tail", SEQUENTIAL, |_| {
        read(store.clone(), stream.clone(), SEQUENTIAL as u64)
    })
    .await;
    let reading = Tables::of(games_in(&store));
    measure_moves(&double, READING, &reading).await;
    let games = games_in(&store);
    games.follow(true);
    let remembering = Tables::of(games);
    measure_moves(&double, REMEMBERING, &remembering).await;
    measure_repetitions(&double, &store).await;
    measure_pages(&double, &store).await;

    println!("{CALLERS} callers at once                     calls/s        p50        p99");
    at_once("an empty call (baseline)", move || echo.clone().call()).await;
    let appending = store.clone();
    at_once("append", move || {
        append(appending.clone(), stream_name(), 0)
    })
    .await;
    for (what, tables) in [(READING, reading), (REMEMBERING, remembering)] {
        at_once(what, move || tables.clone().play()).await;
    }

    // Last, because its subscription takes time from whatever is measured.
    let (games, _projecting) = followed_games_in(&store).await;
    let followed = Tables::of(games);
    measure_moves(&double, FOLLOWED, &followed).await;
    at_once(FOLLOWED, move || followed.clone().play()).await;
}

const READING: &str = "a move, read and appended";
const REMEMBERING: &str = "a move, appended";
const FOLLOWED: &str = "the same, with a read model";

/// Two identical appends at the same moment, on a server that takes some milliseconds to commit. The
/// server drops the second one and answers it after two seconds, unless the adapter intervenes.
async fn measure_repetitions(double: &Double, store: &Arc<KurrentDbStore>) {
    const PAIRS: usize = 200;
    const COMMIT: Duration = Duration::from_millis(3);
    let other = Arc::new(open(double).await);
    double.commit_after(COMMIT);
    one_by_one("append, committed after 3 ms (baseline)", PAIRS, |_| {
        append(store.clone(), stream_name(), 0)
    })
    .await;
    for (what, second) in [
        ("two identical appends, one replica", store.clone()),
        ("two identical appends, two replicas", other),
    ] {
        one_by_one(what, PAIRS, |_| {
            let (stream, event) = (stream_name(), new_event());
            let first = append_event(store.clone(), stream.clone(), 0, event.clone());
            let second = append_event(second.clone(), stream, 0, event);
            async {
                tokio::join!(first, second);
            }
        })
        .await;
    }
    double.commit_after(Duration::ZERO);
}

/// Pages of the events of all games, as `GET /events` reads them, and the connections that stay open.
async fn measure_pages(double: &Double, store: &Arc<KurrentDbStore>) {
    const PAGE: usize = 20;
    let before = double.open_connections();
    one_by_one("a page of 20 events of all games", SEQUENTIAL, |_| async {
        let page = store.read_all("game-", None, PAGE).await;
        assert_eq!(page.expect("it answers").len(), PAGE);
    })
    .await;
    let after = double.open_connections();
    println!("connections before and after {SEQUENTIAL} pages: {before}, {after}\n");
}

/// Moves through the command handler.
async fn measure_moves(double: &Double, what: &str, tables: &Arc<Tables>) {
    let before = double.calls();
    one_by_one(what, SEQUENTIAL, |_| tables.clone().play()).await;
    let after = double.calls();
    println!(
        "calls per move: {:.2} reads, {:.2} appends",
        per_move(after.reads - before.reads),
        per_move(after.appends - before.appends),
    );
}

/// Games of a process that does not follow the store until it is told that it does.
fn games_in(store: &Arc<KurrentDbStore>) -> Arc<GameRepository> {
    Arc::new(GameRepository::new(store.clone()))
}

/// Games of a process whose read model follows the store, as in the service.
async fn followed_games_in(store: &Arc<KurrentDbStore>) -> (Arc<GameRepository>, Projecting) {
    let games = games_in(store);
    let read_model = Arc::new(ReadModel::in_memory());
    let projecting = read_model.start(store.clone(), Arc::new(Following(games.clone())));
    read_model.caught_up().await;
    (games, projecting)
}

/// Games that are played at the same time. In each, two players drop six discs in one column.
struct Tables {
    handler: CommandHandler,
    /// Those at which nobody is about to move: the game, and how many commands it has had.
    free: Mutex<Vec<(GameId, usize)>>,
}

impl Tables {
    fn of(games: Arc<GameRepository>) -> Arc<Tables> {
        Arc::new(Tables {
            handler: CommandHandler::new(games),
            free: Mutex::default(),
        })
    }

    fn free(&self) -> MutexGuard<'_, Vec<(GameId, usize)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the next move at a table, or starts a game there.
    async fn play(self: Arc<Self>) {
        let free = self.free().pop();
        let (game, commands) = free.unwrap_or_else(|| (GameId::generate(), 0));
        let options = CommandOptions::default();
        let [one, two] = ["ada", "grace"].map(|name| PlayerName::parse(name).expect("a name"));
        let handled = if commands == 0 {
            let players = Players::new(one, two).expect("two players");
            let start = StartGame { players };
            self.handler.start_game(game, start, &options).await
        } else {
            let player = if commands % 2 == 1 { one } else { two };
            let column = Column::D;
            let made = MakeMove { player, column };
            self.handler.make_move(game, made, &options).await
        };
        handled.expect("a legal command");
        if commands < 6 {
            self.free().push((game, commands + 1));
        }
    }
}

/// What the service does with the events that its read model hears.
#[derive(Debug)]
struct Following(Arc<GameRepository>);

impl StoreObserver for Following {
    fn is_following(&self, is_following: bool) {
        self.0.follow(is_following);
    }

    fn recorded(&self, event: &RecordedEvent) {
        self.0.heard(event);
    }

    fn stream_truncated(&self, game: GameId) {
        self.0.forget(game);
    }

    fn store_restored(&self) {
        self.0.forget_all();
    }
}

const DATA: &[u8] = br#"{"player":"ada","column":"D"}"#;

async fn open(double: &Double) -> KurrentDbStore {
    let connection = double.connection_string().parse().expect("a good string");
    KurrentDbStore::open(connection).await.expect("it opens")
}

fn stream_name() -> StreamName {
    StreamName::new(format!("game-{}", Uuid::now_v7())).expect("a good name")
}

/// Appends the event with this number to the stream.
async fn append(store: Arc<KurrentDbStore>, stream: StreamName, number: usize) {
    append_event(store, stream, number, new_event()).await;
}

fn new_event() -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        event_type: "MoveMade".into(),
        data: Bytes::from_static(DATA),
        metadata: Bytes::new(),
    }
}

async fn append_event(
    store: Arc<KurrentDbStore>,
    stream: StreamName,
    number: usize,
    event: NewEvent,
) {
    let expected = match number {
        0 => ExpectedRevision::NoStream,
        number => ExpectedRevision::Exact(StreamRevision::new(number as u64 - 1)),
    };
    store
        .append(&stream, expected, vec![event])
        .await
        .expect("there is no other writer");
}

async fn read(store: Arc<KurrentDbStore>, stream: StreamName, from: u64) {
    store
        .read_stream(&stream, StreamRevision::new(from))
        .await
        .expect("it answers");
}

/// A call for which the server does nothing.
#[derive(Clone)]
struct Echo(Channel);

impl Echo {
    async fn connect(double: &Double) -> Echo {
        let endpoint = Endpoint::from_shared(format!("http://{}", double.address()));
        let endpoint = endpoint.expect("an address");
        Echo(endpoint.connect().await.expect("it listens"))
    }

    async fn call(self) {
        let path = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";
        let mut client = Grpc::new(self.0);
        client.ready().await.expect("connected");
        let codec = ProstCodec::<Empty, SupportedMethods>::default();
        client
            .unary(
                tonic::Request::new(Empty {}),
                PathAndQuery::from_static(path),
                codec,
            )
            .await
            .expect("answered");
    }
}

async fn one_by_one<F: Future<Output = ()>>(
    what: &str,
    count: usize,
    mut call: impl FnMut(usize) -> F,
) {
    let mut times = new_histogram();
    // The first call also connects.
    for number in 0..=count {
        let started = Instant::now();
        call(number).await;
        if number > 0 {
            record(&mut times, started);
        }
    }
    println!("{what:42} {} {}", at(&times, 0.5), at(&times, 0.99));
}

async fn at_once<F>(what: &str, call: impl Fn() -> F + Clone + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let is_over = Arc::new(AtomicBool::new(false));
    let callers = (0..CALLERS).map(|_| {
        let (is_over, call) = (is_over.clone(), call.clone());
        tokio::spawn(async move {
            let mut times = new_histogram();
            while !is_over.load(Ordering::Relaxed) {
                let started = Instant::now();
                call().await;
                record(&mut times, started);
            }
            times
        })
    });
    let callers: Vec<_> = callers.collect();
    let started = Instant::now();
    tokio::time::sleep(LOAD).await;
    is_over.store(true, Ordering::Relaxed);
    let mut times = new_histogram();
    for caller in callers {
        times
            .add(caller.await.expect("no caller panicked"))
            .expect("the same bounds");
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    println!(
        "{what:32} {rate:11.0} {} {}",
        at(&times, 0.5),
        at(&times, 0.99)
    );
}

fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("good bounds")
}

fn record(times: &mut Histogram<u64>, started: Instant) {
    let micros = started.elapsed().as_micros().max(1);
    times.saturating_record(u64::try_from(micros).unwrap_or(u64::MAX));
}

fn at(times: &Histogram<u64>, quantile: f64) -> String {
    format!("{:7} µs", times.value_at_quantile(quantile))
}

fn per_move(calls: u64) -> f64 {
    calls as f64 / (SEQUENTIAL + 1) as f64
}
