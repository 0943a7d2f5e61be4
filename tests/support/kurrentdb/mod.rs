//! A KurrentDB on the wire, for tests: the real client talks to it over loopback, and it can
//! be told to fail in all the ways in which a server and a network do.
//!
//! It keeps the server's rules for appends, reads and subscriptions, and no promise of
//! durability: it is no store that a user could choose.

#![expect(unreachable_pub, reason = "a module of each test binary that names it")]
#![expect(clippy::result_large_err, reason = "tonic's own type of error")]

mod counts;
mod listener;
pub mod log;
pub mod proxy;
mod rpc;
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
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

pub use counts::Calls;
pub use log::{Proposal, Stored};
pub use wire::Expected;

use counts::Counts;
use listener::{accept, reusable_socket};

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

/// A node of KurrentDB that tests can break and mend.
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
    /// How many events there are; wakes the subscriptions.
    written: watch::Sender<usize>,
    subscriptions_ended: watch::Sender<u64>,
    switches: Mutex<Switches>,
    counts: Counts,
    /// Cancelled to lose all connections of now.
    connections: Mutex<CancellationToken>,
}

#[derive(Default)]
struct Switches {
    faults: VecDeque<Fault>,
    late: Duration,
    cut_short: bool,
    unavailable: Option<String>,
    leader: Option<SocketAddr>,
    /// The members that gossip tells of, and whether they lead.
    members: Vec<(SocketAddr, bool)>,
    authorization: Option<String>,
}

impl Double {
    /// A node with nothing in it, on a port of its own.
    pub async fn start() -> Double {
        let mut double = Double::reserve();
        double.start_again();
        double
    }

    /// A node that speaks TLS with whoever shows a certificate of `tests/fixtures/tls`.
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
                written: watch::Sender::new(0),
                subscriptions_ended: watch::Sender::new(0),
                switches: Mutex::default(),
                counts: Counts::default(),
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
        if let Some(listening) = self.listening.take() {
            listening.abort();
            // Only then is the port closed.
            let _ = listening.await;
        }
        self.shared.cut();
    }

    /// Comes up on the same port with what was stored.
    pub fn start_again(&mut self) {
        if self.listening.is_none() {
            self.shared.log().forget_recent();
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

    /// Loses all connections; new ones are welcome.
    pub fn cut_connections(&self) {
        self.shared.cut();
    }

    /// What goes wrong with the next append; said twice, with the next two.
    pub fn fail_next_append(&self, fault: Fault) {
        self.shared.switches().faults.push_back(fault);
    }

    /// No append goes wrong any more.
    pub fn mend(&self) {
        self.shared.switches().faults.clear();
    }

    /// Every answer comes so much later than what it tells of.
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

    /// What gossip tells: the members and whether they lead.
    pub fn gossip_of(&self, members: &[(SocketAddr, bool)]) {
        self.shared.switches().members = members.to_vec();
    }

    /// Demands this `authorization` header of every call.
    pub fn demand_authorization(&self, header: &str) {
        self.shared.switches().authorization = Some(header.to_owned());
    }

    /// Ends every subscription without an error, which the server never does.
    pub fn end_subscriptions(&self) {
        self.shared
            .subscriptions_ended
            .send_modify(|times| *times += 1);
    }

    pub fn tombstone(&self, stream: &str) {
        self.shared.log().tombstone(stream);
    }

    /// Stores events as another program would.
    pub fn store(&self, stream: &str, expected: Expected, events: Vec<Proposal>) {
        let mut log = self.shared.log();
        log.append(stream, expected, events)
            .expect("the test asks for what is possible");
        self.shared.written.send_replace(log.events.len());
    }

    /// The events of a stream as they are stored.
    pub fn stored(&self, stream: &str) -> Vec<Stored> {
        let log = self.shared.log();
        let places = log.stream(stream).iter();
        places.map(|place| log.events[*place].clone()).collect()
    }

    pub fn calls(&self) -> Calls {
        self.shared.counts.now()
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

    async fn take_time(&self) {
        let late = self.switches().late;
        if !late.is_zero() {
            tokio::time::sleep(late).await;
        }
    }

    /// Whether the call may go on to be answered.
    fn admit(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let switches = self.switches();
        if let Some(reason) = &switches.unavailable {
            return Err(Status::unavailable(reason));
        }
        let header = |name| metadata.get(name).and_then(|value| value.to_str().ok());
        if let Some(demanded) = &switches.authorization
            && header("authorization") != Some(demanded)
        {
            return Err(Status::unauthenticated("who are you?"));
        }
        if let Some(leader) = switches.leader
            && header("requires-leader") == Some("true")
        {
            let mut trailers = MetadataMap::new();
            let text = |text: &str| text.parse().expect("ASCII");
            trailers.insert("exception", text("not-leader"));
            trailers.insert("leader-endpoint-host", text(&leader.ip().to_string()));
            trailers.insert("leader-endpoint-port", text(&leader.port().to_string()));
            let message = "Leader info available";
            return Err(Status::with_metadata(Code::NotFound, message, trailers));
        }
        Ok(())
    }
}
