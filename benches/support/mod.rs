//! Shared by the benchmarks over HTTP: servers on loopback, keep-alive connections, and statistics.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::serve::ListenerExt;
use bytes::Bytes;
use connect_four::event_store::{self, EventStore};
use connect_four::http::App;
use connect_four::read_model::{ReadModel, ReadModelLocation};
use connect_four::server;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// A tied game of 42 moves. It has no early end, so every request makes a move.
pub(crate) const TIE: &str = "AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG";

const WARM_UP: Duration = Duration::from_millis(300);

pub(crate) fn runtime(threads: &str) -> Runtime {
    Builder::new_multi_thread()
        .thread_name(threads)
        .enable_all()
        .build()
        .expect("a runtime")
}

pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    (listener, address)
}

/// The service on the store with this URL, with its read model where the program stores it by default.
pub(crate) async fn serve_store(url: &str) -> SocketAddr {
    serve(url, event_store::open(url).await.expect("a store")).await
}

/// The service on this store, with the default read model of the store with this URL.
pub(crate) async fn serve(url: &str, store: Arc<dyn EventStore>) -> SocketAddr {
    let location = ReadModelLocation::of_event_store(url);
    let read_model = ReadModel::open(&location).await.expect("a new read model");
    serve_app(App::with_read_model(store, Arc::new(read_model))).await
}

pub(crate) async fn serve_app(app: App) -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(server::serve(app, listener, std::future::pending()));
    address
}

/// A baseline: a server with only these routes.
pub(crate) async fn serve_bare(routes: Router) -> SocketAddr {
    let (listener, address) = listener().await;
    let listener = listener.tap_io(|connection| {
        connection.set_nodelay(true).expect("a TCP socket");
    });
    let service = routes.into_make_service();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// A connection of a client.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a TCP socket");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
        tokio::spawn(connection);
        Connection(sender)
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
        self.0.ready().await.expect("an open connection");
        let response = self.0.send_request(request).await.expect("an answer");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body");
        (status, body.to_bytes())
    }

    pub(crate) async fn post_json(&mut self, path: &str, body: String) -> Bytes {
        let request = Request::post(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::from(body))
            .expect("a request");
        let (status, body) = self.send(request).await;
        assert_eq!(status, StatusCode::CREATED);
        body
    }

    /// Starts a game between alice and bob, and returns its path.
    pub(crate) async fn start_game(&mut self) -> String {
        let names = r#"{"player_one":"alice","player_two":"bob"}"#;
        let game = self.post_json("/games", names.to_owned()).await;
        let game: Value = serde_json::from_slice(&game).expect("a game");
        format!("/games/{}", game["id"].as_str().expect("an id"))
    }
}

/// The request bodies of the moves of a whole game.
pub(crate) fn moves() -> impl Iterator<Item = String> {
    let players = ["alice", "bob"].into_iter().cycle();
    players
        .zip(TIE.chars())
        .map(|(player, column)| format!(r#"{{"player":"{player}","column":"{column}"}}"#))
}

/// Records the times of requests within the measured period.
pub(crate) struct Clock {
    begin: Instant,
    end: Instant,
    times: Histogram<u64>,
}

impl Clock {
    /// Sends the request and records its time. `None` when the measured period is over.
    pub(crate) async fn time<T>(&mut self, request: impl Future<Output = T>) -> Option<T> {
        let start = Instant::now();
        if start >= self.end {
            return None;
        }
        let answer = request.await;
        if start >= self.begin {
            let elapsed = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.times.record(elapsed).expect("a histogram that grows");
        }
        Some(answer)
    }
}

/// The result of one round: requests per second, and times in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Lets this many connections do the work at the same time, until the period is over.
pub(crate) fn measure<Work, Done>(connections: usize, run: Duration, work: Work) -> Measured
where
    Work: Fn(Clock) -> Done,
    Done: Future<Output = Clock> + Send + 'static,
{
    let clients = runtime("client");
    let begin = Instant::now() + WARM_UP;
    let end = begin + run;
    clients.block_on(async {
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            let times = Histogram::new(3).expect("three digits");
            workers.spawn(work(Clock { begin, end, times }));
        }
        let mut all = Histogram::<u64>::new(3).expect("three digits");
        for one in workers.join_all().await {
            all.add(one.times).expect("histograms of one kind");
        }
        Measured {
            rate: all.len() as f64 / run.as_secs_f64(),
            p50: all.value_at_quantile(0.5) as f64 / 1000.0,
            p99: all.value_at_quantile(0.99) as f64 / 1000.0,
        }
    })
}

/// Plays games on one connection.
pub(crate) async fn play(address: SocketAddr, mut clock: Clock) -> Clock {
    let mut connection = Connection::to(address).await;
    loop {
        let path = format!("{}/moves", connection.start_game().await);
        for body in moves() {
            let moved = clock.time(connection.post_json(&path, body)).await;
            if moved.is_none() {
                return clock;
            }
        }
    }
}
