//! Shared by the benchmarks over HTTP: times of requests, and statistics.

pub(crate) mod bare;
pub(crate) mod connection;
pub(crate) mod servers;

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use connection::{Connection, moves};
use servers::runtime;

const WARM_UP: Duration = Duration::from_millis(300);

pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
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
