//! A test double of a KurrentDB server. The real client talks to it over the loopback interface,
//! and tests make it fail in all the ways in which servers and networks fail.
//!
//! It follows the server's rules for appends, reads, subscriptions and deletions. It keeps its
//! events in memory, and exists in tests only: users cannot choose it as a store.

#![expect(
    unreachable_pub,
    reason = "each test binary includes this file as a module"
)]
#![expect(clippy::result_large_err, reason = "the error type is tonic's")]

mod access;
mod all;
mod append_rules;
mod appends;
mod backup;
mod counts;
mod deletions;
mod listener;
pub mod log;
mod pace;
pub mod proxy;
mod reads;
mod rpc;
mod stored;
mod stream_metadata;
mod subscriber;
mod tls;
pub mod tutorial;
pub mod wire;
pub mod wire_of_nodes;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use counts::Calls;
pub use stored::{Proposal, Stored};
pub use wire::Expected;

use counts::Counts;
use listener::{accept, reusable_socket};
use pace::Pace;

/// A failure of one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// All connections are lost; nothing was stored.
    LoseRequest,
    /// All connections are lost; the events are stored.
    LoseAnswer,
    /// The server stores the events, but answers with a time-out.
    GiveUpWaiting,
}

/// A node of KurrentDB that tests can break and repair.
pub struct Double {
    address: SocketAddr,
    /// Reserves the port while the node is down, so that no other socket gets it.
    _reserved: TcpSocket,
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
    /// Cancelled to stop listening; `None` while the node is down.
    listening: Option<tokio::task::JoinHandle<()>>,
}

struct Shared {
    log: Mutex<log::Log>,
    /// Wakes the subscriptions, and the appends that wait to be committed.
    progress: watch::Sender<log::Progress>,
    /// True while the node is shutting down: it sends nothing on open connections.
    silent: watch::Sender<bool>,
    subscriptions_ended: watch::Sender<u64>,
    /// How often [`Double::stall_subscriptions`] was called.
    stalls: AtomicU64,
    switches: Mutex<Switches>,
    counts: Arc<Counts>,
    /// Cancelled to cut all current connections.
    connections: Mutex<CancellationToken>,
}

struct Switches {
    commits: Pace,
    visibility: Pace,
    commit_timeout: Duration,
    checkpoints_ahead: bool,
    is_all_forbidden: bool,
    faults: VecDeque<Fault>,
    late: Duration,
    cut_short: bool,
    unavailable: Option<String>,
    leader: Option<SocketAddr>,
    /// The members that gossip names, and whether they lead.
    members: Vec<(SocketAddr, bool)>,
    authorization: Option<String>,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            commits: Pace::default(),
            visibility: Pace::default(),
            // The server's default.
            commit_timeout: Duration::from_secs(2),
            checkpoints_ahead: false,
            is_all_forbidden: false,
            faults: VecDeque::new(),
            late: Duration::ZERO,
            cut_short: false,
            unavailable: None,
            leader: None,
            members: Vec::new(),
            authorization: None,
        }
    }
}

impl Double {
    /// Starts an empty node on a free port.
    pub async fn start() -> Double {
        let mut double = Double::reserve();
        double.start_again();
        double
    }

    /// Starts a node with TLS, for clients that have a certificate of `tests/fixtures/tls`.
    pub async fn start_with_tls() -> Double {
        let mut double = Double::reserve();
        double.tls = Some(tls::acceptor());
        double.start_again();
        double
    }

    /// A node that is down, and already has its address.
    pub fn reserve() -> Double {
        let reserved = reusable_socket("127.0.0.1:0".parse().expect("an address"));
        let address = reserved.local_addr().expect("bound");
        let double = Double {
            address,
            _reserved: reserved,
            shared: Arc::new(Shared {
                log: Mutex::default(),
                progress: watch::Sender::default(),
                silent: watch::Sender::default(),
                subscriptions_ended: watch::Sender::new(0),
                stalls: AtomicU64::new(0),
                switches: Mutex::default(),
                counts: Arc::default(),
                connections: Mutex::default(),
            }),
            tls: None,
            listening: None,
        };
        double.shared.switches().members = vec![(address, true)];
        double
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn connection_string(&self) -> String {
        format!("kurrentdb://{}?tls=false", self.address)
    }

    /// Goes down like a killed process: connections end, new ones are refused, and stored events
    /// are kept.
    pub async fn stop(&mut self) {
        self.close_listener().await;
        self.shared.cut();
    }

    /// Shuts down as the server does: it refuses new connections, and keeps the open ones
    /// without sending anything on them until [`Double::stop`], the end of its time-out.
    pub async fn begin_shutdown(&mut self) {
        self.shared.silent.send_replace(true);
        self.close_listener().await;
    }

    async fn close_listener(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            // The port is closed only after this.
            let _ = listening.await;
        }
    }

    /// Starts again on the same port, with the stored events.
    pub fn start_again(&mut self) {
        if self.listening.is_none() {
            // The connections of a node that is shutting down end with its process.
            self.shared.cut();
            self.shared.recover();
            self.shared.silent.send_replace(false);
            let listener = reusable_socket(self.address)
                .listen(1024)
                .expect("the port is ours");
            self.listening = Some(tokio::spawn(accept(
                listener,
                self.tls.clone(),
                self.shared.clone(),
            )));
        }
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again();
    }

    /// Cuts all connections. New ones are accepted.
    pub fn cut_connections(&self) {
        self.shared.cut();
    }

    /// Lets the next append fail in this way. Each further call is for one more append.
    pub fn fail_next_append(&self, fault: Fault) {
        self.shared.switches().faults.push_back(fault);
    }

    /// Lets no further append fail.
    pub fn mend(&self) {
        self.shared.switches().faults.clear();
    }

    /// Delays every answer by this time after the work is done.
    pub fn answer_late(&self, by: Duration) {
        self.shared.switches().late = by;
    }

    /// Lets the next read lose the second half of its answer, without an error.
    pub fn cut_next_read_short(&self) {
        self.shared.switches().cut_short = true;
    }

    /// Answers every call with this error until told otherwise.
    pub fn be_unavailable(&self, reason: Option<&str>) {
        self.shared.switches().unavailable = reason.map(str::to_owned);
    }

    /// Answers every call that requires the leader with the leader's address. With `None`, this
    /// node is the leader.
    pub fn follow(&self, leader: Option<SocketAddr>) {
        self.shared.switches().leader = leader;
    }

    /// Sets the answer to gossip calls: the members, and whether each is the leader.
    pub fn gossip_of(&self, members: &[(SocketAddr, bool)]) {
        self.shared.switches().members = members.to_vec();
    }

    /// From now on, a subscription gets a checkpoint whenever it reaches the head. The checkpoint
    /// has the position of the next event.
    pub fn send_checkpoints_ahead(&self) {
        self.shared.switches().checkpoints_ahead = true;
    }

    /// Sends nothing more to the current subscriptions, although their connections stay open.
    pub fn stall_subscriptions(&self) {
        self.shared.stalls.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends every subscription without an error, which the server never does.
    pub fn end_subscriptions(&self) {
        self.shared
            .subscriptions_ended
            .send_modify(|times| *times += 1);
    }

    /// Stores events as another program would.
    pub fn store(&self, stream: &str, expected: Expected, events: Vec<Proposal>) {
        let mut log = self.shared.log();
        log.append(stream, expected, events)
            .expect("the test asks for what is possible");
        self.shared.written(&mut log);
    }

    /// All written events of a stream, whether or not they can be read.
    pub fn stored(&self, stream: &str) -> Vec<Stored> {
        let log = self.shared.log();
        let places = log.stream(stream).iter();
        places.map(|place| log.events[*place].clone()).collect()
    }

    pub fn calls(&self) -> Calls {
        self.shared.counts.now()
    }

    /// The number of open connections. [`Double::calls`] has the number of all accepted ones.
    pub fn open_connections(&self) -> u64 {
        self.shared.counts.open()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
        self.shared.cut();
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, log::Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> MutexGuard<'_, CancellationToken> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        std::mem::take(&mut *self.connections()).cancel();
    }

    fn recover(&self) {
        let mut log = self.log();
        log.recover();
        self.publish(&log);
    }

    async fn take_time(&self) {
        let late = self.switches().late;
        if !late.is_zero() {
            tokio::time::sleep(late).await;
        }
    }
}
