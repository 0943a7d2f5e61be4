//! A client of the crate that is replaced when it has failed.
//!
//! The crate's client ends with the first connection that it cannot make, and every clone of
//! it with it; it never leaves a leader that died; and it bounds no call in time. So calls
//! go through a [`Supervisor`]: it lends out the one client of now, bounds what is done with
//! it, and watches how that ends. A client that died, that failed twice in a row, or that
//! went silent is replaced by one that has proved itself with a call; one task at a time does
//! so, with growing pauses. Meanwhile calls wait for a moment if the first attempt is still under way
//! and are told that the database is unavailable otherwise, without a network in between.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use kurrentdb::{Client, ReadStreamOptions, StreamPosition};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::backoff::Backoff;
use super::connection_string::ConnectionString;
use super::error::Failure;
use super::nodelay;
use crate::event_store::EventStoreError;

/// Calls in flight on one connection. Kestrel allows 100 and lets the next wait in silence;
/// the difference is for the crate's own calls.
const CALLS_IN_FLIGHT: usize = 90;

/// How many failures in a row, with no answer in between, cost a client its place. The first
/// may be the connection, which comes back by itself; the second is the node.
const FAILURES: u32 = 2;

/// How long a call waits for a client whose replacement is being tried for the first time.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a new client may take to prove itself, when a call may take longer.
const PROOF: Duration = Duration::from_secs(3);

/// A stream that nobody writes. Reading it asks the leader and its index, and nothing else.
const NO_STREAM: &str = "connect-four-readiness";

/// Lends out a client that works.
pub(super) struct Supervisor {
    connection: Arc<ConnectionString>,
    state: watch::Sender<State>,
    /// For the task that outlives the call which found the client dead.
    this: Weak<Supervisor>,
}

#[derive(Clone)]
enum State {
    /// A client is being replaced, for the first time since the last one worked.
    Connecting,
    Up(Arc<Connected>),
    Down(Arc<str>),
}

struct Connected {
    client: Client,
    permits: Arc<Semaphore>,
    /// In a row.
    failures: AtomicU32,
    answers: AtomicU64,
}

/// A client for one call.
pub(super) struct Lease {
    supervisor: Arc<Supervisor>,
    connected: Arc<Connected>,
    _permit: OwnedSemaphorePermit,
}

impl Supervisor {
    /// Begins to connect, and waits for the outcome of the first attempt.
    pub(super) async fn start(connection: Arc<ConnectionString>) -> Arc<Supervisor> {
        let supervisor = Arc::new_cyclic(|this| Supervisor {
            connection,
            state: watch::Sender::new(State::Connecting),
            this: this.clone(),
        });
        let mut state = supervisor.state.subscribe();
        supervisor.replace_client();
        // The sender lives in the supervisor.
        let _ = state
            .wait_for(|state| !matches!(state, State::Connecting))
            .await;
        supervisor
    }

    pub(super) fn connection(&self) -> &Arc<ConnectionString> {
        &self.connection
    }

    /// A client that works, as far as is known, and leave to send it a call.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, EventStoreError> {
        let mut state = self.state.subscribe();
        loop {
            let now = state.borrow_and_update().clone();
            match now {
                State::Up(connected) => {
                    let permit = connected.permits.clone().acquire_owned();
                    let Ok(permit) = timeout(self.connection.call_timeout(), permit).await else {
                        return Err(self.unavailable("too many calls are in flight"));
                    };
                    // Closed: the client was replaced while this call stood in line for it.
                    let Ok(permit) = permit else { continue };
                    return Ok(Lease {
                        supervisor: self.clone(),
                        connected,
                        _permit: permit,
                    });
                }
                State::Connecting => {
                    if !matches!(timeout(PATIENCE, state.changed()).await, Ok(Ok(()))) {
                        return Err(self.unavailable("still connecting"));
                    }
                }
                State::Down(reason) => return Err(self.unavailable(&reason)),
            }
        }
    }

    fn unavailable(&self, reason: &str) -> EventStoreError {
        EventStoreError::unavailable(format!("{}: {reason}", self.connection.location()))
    }

    /// Takes the client out of use, if nobody has done so yet, and looks for another.
    fn lose(&self, lost: &Arc<Connected>, reason: &str) {
        let was_in_use = self.state.send_if_modified(|state| match state {
            State::Up(current) if Arc::ptr_eq(current, lost) => {
                *state = State::Connecting;
                true
            }
            State::Up(_) | State::Connecting | State::Down(_) => false,
        });
        if was_in_use {
            lost.permits.close();
            let location = self.connection.location();
            tracing::warn!(reason, "lost KurrentDB at {location}; connecting anew");
            self.replace_client();
        }
    }

    fn replace_client(&self) {
        let supervisor = self.this.clone();
        let connection = self.connection.clone();
        tokio::spawn(async move {
            let mut pauses = Backoff::default();
            loop {
                let outcome = connect(&connection).await;
                let Some(supervisor) = supervisor.upgrade() else {
                    return;
                };
                match outcome {
                    Ok(client) => return supervisor.found(client),
                    Err(reason) => supervisor.not_found(&reason),
                }
                drop(supervisor);
                tokio::time::sleep(pauses.next_pause()).await;
            }
        });
    }

    fn found(&self, client: Client) {
        tracing::info!("connected to KurrentDB at {}", self.connection.location());
        self.state.send_replace(State::Up(Arc::new(Connected {
            client,
            permits: Arc::new(Semaphore::new(CALLS_IN_FLIGHT)),
            failures: AtomicU32::new(0),
            answers: AtomicU64::new(0),
        })));
    }

    fn not_found(&self, reason: &str) {
        let location = self.connection.location();
        let is_known =
            matches!(&*self.state.borrow(), State::Down(known) if known.as_ref() == reason);
        if !is_known {
            tracing::warn!(reason, "cannot reach KurrentDB at {location}; trying again");
        }
        self.state.send_replace(State::Down(reason.into()));
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.state.borrow() {
            State::Connecting => "connecting".to_owned(),
            State::Up(_) => "up".to_owned(),
            State::Down(reason) => format!("down: {reason}"),
        };
        f.debug_struct("Supervisor")
            .field("connection", &self.connection)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

impl Lease {
    /// Lets the client do something, but for no longer, and learns from the outcome.
    pub(super) async fn call<T, F>(
        &self,
        limit: Duration,
        work: impl FnOnce(Client) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let started = Instant::now();
        let answers = self.connected.answers.load(Ordering::Relaxed);
        let outcome = timeout(limit, work(self.connected.client.clone())).await;
        if started.elapsed() >= nodelay::SUSPICIOUS {
            nodelay::suspect();
        }
        let Ok(outcome) = outcome else {
            let reason = format!("no answer within {limit:?}");
            // Nobody else had one either: the connection is dead and may not know it for
            // long.
            if answers == self.connected.answers.load(Ordering::Relaxed) {
                self.supervisor.lose(&self.connected, &reason);
            }
            return Err(Failure::Unknown(reason));
        };
        self.learn_from(&outcome);
        outcome
    }

    fn learn_from<T>(&self, outcome: &Result<T, Failure>) {
        match outcome {
            Err(Failure::ClientDead(reason)) => self.supervisor.lose(&self.connected, reason),
            Err(Failure::Unknown(reason) | Failure::NotDone(reason)) => {
                let failures = self.connected.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures >= FAILURES {
                    self.supervisor.lose(&self.connected, reason);
                }
            }
            Ok(_)
            | Err(
                Failure::Conflict(_) | Failure::Missing | Failure::Deleted | Failure::Refused(_),
            ) => {
                self.connected.failures.store(0, Ordering::Relaxed);
                self.connected.answers.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A new client that has answered a call.
pub(super) async fn connect(connection: &Arc<ConnectionString>) -> Result<Client, String> {
    let client = new_client(connection).await?;
    let limit = PROOF.min(connection.call_timeout());
    let mut outcome = Err(Failure::NotDone("not asked".to_owned()));
    // The client moves to the leader that a node names, but only with the next call.
    for _ in 0..3 {
        outcome = timeout(limit, probe(client.clone(), connection.clone()))
            .await
            .unwrap_or_else(|_| Err(Failure::Unknown(format!("no answer within {limit:?}"))));
        if !matches!(outcome, Err(Failure::NotDone(_))) {
            break;
        }
    }
    match outcome {
        // Refused is an answer too: it is for the caller to hear.
        Ok(()) | Err(Failure::Refused(_) | Failure::Conflict(_) | Failure::Deleted) => {
            nodelay::set();
            Ok(client)
        }
        Err(Failure::Missing) => Err("the node knows no leader".to_owned()),
        Err(Failure::NotDone(reason) | Failure::ClientDead(reason) | Failure::Unknown(reason)) => {
            Err(reason)
        }
    }
}

/// Makes a client, which connects only when it is first used. It reads certificates, so not
/// on a thread that others wait for.
pub(super) async fn new_client(connection: &Arc<ConnectionString>) -> Result<Client, String> {
    let connection = connection.clone();
    let made = tokio::task::spawn_blocking(move || {
        check_certificates(&connection)?;
        Client::new(connection.settings().clone()).map_err(|error| error.to_string())
    });
    made.await.map_err(|error| error.to_string())?
}

/// Reads the CA file as the crate does, which panics when it holds something else.
fn check_certificates(connection: &ConnectionString) -> Result<(), String> {
    let Some(path) = connection.settings().tls_ca_file() else {
        return Ok(());
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("tlsCaFile {path}: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("tlsCaFile {path}: no certificate in it"));
    }
    Ok(())
}

/// A call that costs little and that only a working leader answers.
pub(super) async fn probe(
    client: Client,
    connection: Arc<ConnectionString>,
) -> Result<(), Failure> {
    let options = ReadStreamOptions::default()
        .position(StreamPosition::Start)
        .max_count(1)
        .requires_leader(true);
    let options = connection.sign(options, ReadStreamOptions::authenticated);
    let mut answer = client.read_stream(NO_STREAM, &options).await?;
    match answer.next().await {
        Ok(_) | Err(kurrentdb::Error::ResourceNotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
