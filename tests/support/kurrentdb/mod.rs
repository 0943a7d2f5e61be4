//! A KurrentDB on the wire, for tests: the real client talks to it over loopback, and tests
//! make it fail in all the ways in which a server and a network do.
//!
//! It keeps the server's rules for appends, reads, subscriptions and deletions, in memory only:
//! users cannot choose it as a store.

#![expect(unreachable_pub, reason = "a module of each test binary that names it")]
#![expect(clippy::result_large_err, reason = "tonic's own type of error")]

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

/// What goes wrong with one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// All connections are lost; nothing was stored.
    LoseRequest,
    /// All connections are lost; the events are stored.
    LoseAnswer,
    /// The server stored the events and says that it gave up waiting.
    GiveUpWaiting,
}

/// A node of KurrentDB that tests can break and repair.
pub struct Double {
    address: SocketAddr,
    /// Keeps the port while the node is down, so that no other socket gets it.
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
    /// Set while the node is shutting down: it sends nothing on the connections that it has.
    silent: watch::Sender<bool>,
    subscriptions_ended: watch::Sender<u64>,
    switches: Mutex<Switches>,
    counts: Arc<Counts>,
    /// Cancelled to lose all connections of now.
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
            // The server's own.
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
    /// A node with nothing in it, on a port of its own.
    pub async fn start() -> Double {
        let mut double = Double::reserve();
        double.start_again();
        double
    }

    /// A node that speaks TLS with clients that have a certificate of `tests/fixtures/tls`.
    pub async fn start_with_tls() -> Double {
        let mut double = Double::reserve();
        double.tls = Some(tls::acceptor());
        double.start_again();
        double
    }

    /// A node that is not up yet, but has its address.
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

    /// Goes down like a process that is killed: connections end, new ones are refused, and
    /// what was stored stays.
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
            // Only then is the port closed.
            let _ = listening.await;
        }
    }

    /// Comes up on the same port with what was stored.
    pub fn start_again(&mut self) {
        if self.listening.is_none() {
            // The connections of a node that was shutting down end with its process.
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

    /// Loses all connections; new ones are accepted.
    pub fn cut_connections(&self) {
        self.shared.cut();
    }

    /// What goes wrong with the next append; called twice, with the next two.
    pub fn fail_next_append(&self, fault: Fault) {
        self.shared.switches().faults.push_back(fault);
    }

    /// No further append goes wrong.
    pub fn mend(&self) {
        self.shared.switches().faults.clear();
    }

    /// Every answer is sent this long after the work is done.
    pub fn answer_late(&self, by: Duration) {
        self.shared.switches().late = by;
    }

    /// The next read loses the second half of its answer, without an error.
    pub fn cut_next_read_short(&self) {
        self.shared.switches().cut_short = true;
    }

    /// Answers every call with this error until told otherwise.
    pub fn be_unavailable(&self, reason: Option<&str>) {
        self.shared.switches().unavailable = reason.map(str::to_owned);
    }

    /// Answers every call that wants the leader with where that is; `None` leads itself.
    pub fn follow(&self, leader: Option<SocketAddr>) {
        self.shared.switches().leader = leader;
    }

    /// What gossip answers: the members and whether they lead.
    pub fn gossip_of(&self, members: &[(SocketAddr, bool)]) {
        self.shared.switches().members = members.to_vec();
    }

    /// From now on, checkpoints come whenever a subscription reaches the head, and carry the
    /// position at which the next event will be.
    pub fn send_checkpoints_ahead(&self) {
        self.shared.switches().checkpoints_ahead = true;
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

    /// The events of a stream as they are written, whether or not they can be read.
    pub fn stored(&self, stream: &str) -> Vec<Stored> {
        let log = self.shared.log();
        let places = log.stream(stream).iter();
        places.map(|place| log.events[*place].clone()).collect()
    }

    pub fn calls(&self) -> Calls {
        self.shared.counts.now()
    }

    /// The connections that are open now; those that were accepted in all are among
    /// [`Double::calls`].
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
