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
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use kurrentdb::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::access::{AccessLog, Call};
use super::backoff::Backoff;
use super::connect::{OwnedClient, Proof, connect};
use super::connection_string::ConnectionString;
use super::error::Failure;
use super::nodelay;
use super::outage::{OutageLog, Witness};
use crate::event_store::EventStoreError;

/// Calls in flight on one connection. Kestrel allows 100 and lets the next wait in silence;
/// the difference is for the crate's own calls.
const CALLS_IN_FLIGHT: usize = 90;

/// How many failures in a row, with no answer in between, cost a client its place. The first
/// may be the connection, which comes back by itself; the second is the node.
const FAILURES: u32 = 2;

/// How long a call waits for a client whose replacement is being tried for the first time.
const PATIENCE: Duration = Duration::from_millis(500);

/// Lends out a client that works.
pub(super) struct Supervisor {
    connection: Arc<ConnectionString>,
    state: watch::Sender<State>,
    outages: Arc<OutageLog>,
    own_outage: Mutex<Witness>,
    access: AccessLog,
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
    client: OwnedClient,
    /// Whether a call has succeeded.
    is_proven: AtomicBool,
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
        let outages = OutageLog::new(connection.location());
        let supervisor = Arc::new_cyclic(|this| Supervisor {
            connection,
            own_outage: Mutex::new(outages.witness()),
            outages,
            access: AccessLog::default(),
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

    /// For a subscription, which loses its connection on its own.
    pub(super) fn outages(&self) -> &Arc<OutageLog> {
        &self.outages
    }

    /// The error of a call that the server denies to the user.
    pub(super) fn denied(&self, call: Call) -> EventStoreError {
        self.access.denied(&self.connection, call)
    }

    fn own_outage(&self) -> MutexGuard<'_, Witness> {
        self.own_outage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, reason: &str) -> EventStoreError {
        self.outages.count_failure();
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
            self.own_outage().failed(reason);
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
                    Ok((client, proof)) => return supervisor.found(client, proof),
                    Err(reason) => supervisor.not_found(&reason),
                }
                drop(supervisor);
                tokio::time::sleep(pauses.next_pause()).await;
            }
        });
    }

    fn found(&self, client: OwnedClient, proof: Proof) {
        self.own_outage().works();
        let is_proven = match proof {
            Proof::Works => {
                self.log_connected();
                true
            }
            Proof::Denied => {
                self.denied(Call::ReadStreams);
                false
            }
        };
        self.state.send_replace(State::Up(Arc::new(Connected {
            client,
            is_proven: AtomicBool::new(is_proven),
            permits: Arc::new(Semaphore::new(CALLS_IN_FLIGHT)),
            failures: AtomicU32::new(0),
            answers: AtomicU64::new(0),
        })));
    }

    fn log_connected(&self) {
        tracing::info!("connected to KurrentDB at {}", self.connection.location());
    }

    fn not_found(&self, reason: &str) {
        self.own_outage().failed(reason);
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
        let outcome = timeout(limit, self.connected.client.run(work)).await;
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
            Ok(_) => {
                self.answered();
                let is_proven = &self.connected.is_proven;
                if !is_proven.load(Ordering::Relaxed) && !is_proven.swap(true, Ordering::Relaxed) {
                    self.supervisor.log_connected();
                }
            }
            // An append that was given up was not committed in time. The answer came all the
            // same, so neither the connection nor the client is to blame.
            Err(
                Failure::Conflict(_)
                | Failure::Missing
                | Failure::Deleted
                | Failure::Refused(_)
                | Failure::InvalidArgument(_)
                | Failure::Denied
                | Failure::GivenUp(_),
            ) => self.answered(),
        }
    }

    fn answered(&self) {
        self.connected.failures.store(0, Ordering::Relaxed);
        self.connected.answers.fetch_add(1, Ordering::Relaxed);
    }
}
