//! Replaces the crate's client when it has failed.
//!
//! The crate's client and all its clones stop working for ever after one connection attempt that
//! fails. It never leaves a leader that died, and it does not limit calls in time. So every call
//! goes through a [`Supervisor`]. It lends out the current client, limits each call in time, and
//! watches the outcome.
//!
//! A client is replaced when it has died, when two calls in a row failed, or when it does not
//! answer. The new client must answer a first call before it is used. One task at a time
//! connects, with growing pauses. During the first attempt, calls wait for a short time; after
//! it failed, they fail at once as unavailable, without using the network.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use kurrentdb::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::access::{AccessLog, Call};
use super::connect::{FirstCall, OwnedClient, connect};
use super::connection_string::ConnectionString;
use super::error::Failure;
use super::nodelay;
use super::outage::{OutageLog, OutageReporter};
use crate::backoff::Backoff;
use crate::event_store::EventStoreError;
use crate::panics::caught;

/// The pauses between attempts to reach a database that does not answer.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many calls may be in flight on one connection. The server (Kestrel) allows 100 HTTP/2
/// streams and lets the next call wait without an error. The rest is for the crate's own calls.
const CALLS_IN_FLIGHT: usize = 90;

/// A client is replaced after this many failures in a row, with no answer in between. The first
/// may be a lost connection, which the crate opens again by itself. A second one means that the
/// node is lost.
const FAILURES: u32 = 2;

/// How long a call waits while the first attempt to replace the client is in progress.
const CONNECT_WAIT: Duration = Duration::from_millis(500);

/// Lends out the current client, and replaces it when it has failed.
pub(super) struct Supervisor {
    connection: Arc<ConnectionString>,
    state: watch::Sender<State>,
    outages: Arc<OutageLog>,
    own_outage: Mutex<OutageReporter>,
    access: AccessLog,
    /// For the task that replaces the client: it must not keep the supervisor alive.
    this: Weak<Supervisor>,
}

#[derive(Clone)]
enum State {
    /// The first attempt to connect since the last client worked is in progress.
    Connecting,
    Up(Arc<Connected>),
    Down(Arc<str>),
}

struct Connected {
    client: OwnedClient,
    /// Whether a call has succeeded.
    has_succeeded: AtomicBool,
    permits: Arc<Semaphore>,
    /// How many calls failed in a row.
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
    /// Starts to connect, and waits for the outcome of the first attempt.
    pub(super) async fn start(connection: Arc<ConnectionString>) -> Arc<Supervisor> {
        let outages = OutageLog::new(connection.location());
        let supervisor = Arc::new_cyclic(|this| Supervisor {
            connection,
            own_outage: Mutex::new(outages.reporter()),
            outages,
            access: AccessLog::default(),
            state: watch::Sender::new(State::Connecting),
            this: this.clone(),
        });
        let mut state = supervisor.state.subscribe();
        supervisor.replace_client();
        // Cannot fail: the supervisor owns the sender.
        let _ = state
            .wait_for(|state| !matches!(state, State::Connecting))
            .await;
        supervisor
    }

    pub(super) fn connection(&self) -> &Arc<ConnectionString> {
        &self.connection
    }

    /// The current client and a permit to send one call with it.
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
                    // Closed: the client was replaced while this call waited for a permit.
                    let Ok(permit) = permit else { continue };
                    return Ok(Lease {
                        supervisor: self.clone(),
                        connected,
                        _permit: permit,
                    });
                }
                State::Connecting => {
                    if !matches!(timeout(CONNECT_WAIT, state.changed()).await, Ok(Ok(()))) {
                        return Err(self.unavailable("still connecting"));
                    }
                }
                State::Down(reason) => return Err(self.unavailable(&reason)),
            }
        }
    }

    /// For a subscription, which has its own connection and can lose it independently.
    pub(super) fn outages(&self) -> &Arc<OutageLog> {
        &self.outages
    }

    /// Logs that the user may not make this call, and returns the error for the caller.
    pub(super) fn denied(&self, call: Call) -> EventStoreError {
        self.access.denied(&self.connection, call)
    }

    fn own_outage(&self) -> MutexGuard<'_, OutageReporter> {
        self.own_outage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, reason: &str) -> EventStoreError {
        self.outages.count_failure();
        EventStoreError::unavailable(format!("{}: {reason}", self.connection.location()))
    }

    /// Stops using this client and starts to replace it, unless that has already been done.
    fn discard(&self, discarded: &Arc<Connected>, reason: &str) {
        let was_in_use = self.state.send_if_modified(|state| match state {
            State::Up(current) if Arc::ptr_eq(current, discarded) => {
                *state = State::Connecting;
                true
            }
            State::Up(_) | State::Connecting | State::Down(_) => false,
        });
        if was_in_use {
            discarded.permits.close();
            self.own_outage().failed(reason);
            self.replace_client();
        }
    }

    fn replace_client(&self) {
        let supervisor = self.this.clone();
        let connection = self.connection.clone();
        tokio::spawn(async move {
            let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
            loop {
                // A panic counts as a failed attempt, so that this task goes on.
                let outcome = caught(connect(&connection)).await;
                let outcome = outcome.unwrap_or_else(|panicked| Err(panicked.to_string()));
                let Some(supervisor) = supervisor.upgrade() else {
                    return;
                };
                match outcome {
                    Ok((client, first_call)) => return supervisor.connected(client, first_call),
                    Err(reason) => supervisor.connect_failed(&reason),
                }
                drop(supervisor);
                tokio::time::sleep(pauses.next_pause()).await;
            }
        });
    }

    fn connected(&self, client: OwnedClient, first_call: FirstCall) {
        self.own_outage().works();
        let has_succeeded = match first_call {
            FirstCall::Succeeded => {
                self.log_connected();
                true
            }
            FirstCall::Denied => {
                self.denied(Call::ReadStreams);
                false
            }
        };
        self.state.send_replace(State::Up(Arc::new(Connected {
            client,
            has_succeeded: AtomicBool::new(has_succeeded),
            permits: Arc::new(Semaphore::new(CALLS_IN_FLIGHT)),
            failures: AtomicU32::new(0),
            answers: AtomicU64::new(0),
        })));
    }

    fn log_connected(&self) {
        tracing::info!("connected to KurrentDB at {}", self.connection.location());
    }

    fn connect_failed(&self, reason: &str) {
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
    /// Makes a call with the client, limits it in time, and records the outcome. After certain
    /// failures the client is replaced.
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
        if started.elapsed() >= nodelay::SLOW_CALL {
            nodelay::set_after_slow_call();
        }
        let Ok(outcome) = outcome else {
            let reason = format!("no answer within {limit:?}");
            // If no other call was answered meanwhile either, the connection is dead. The crate
            // may not notice that for a long time.
            if answers == self.connected.answers.load(Ordering::Relaxed) {
                self.supervisor.discard(&self.connected, &reason);
            }
            return Err(Failure::Unknown(reason));
        };
        self.record_outcome(&outcome);
        outcome
    }

    fn record_outcome<T>(&self, outcome: &Result<T, Failure>) {
        match outcome {
            Err(Failure::ClientDead(reason)) => self.supervisor.discard(&self.connected, reason),
            Err(Failure::Unknown(reason) | Failure::NotDone(reason)) => {
                let failures = self.connected.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures >= FAILURES {
                    self.supervisor.discard(&self.connected, reason);
                }
            }
            Ok(_) => {
                self.answered();
                let has_succeeded = &self.connected.has_succeeded;
                if !has_succeeded.load(Ordering::Relaxed)
                    && !has_succeeded.swap(true, Ordering::Relaxed)
                {
                    self.supervisor.log_connected();
                }
            }
            // `GivenUp` means that the server did not commit an append in time. It did answer, so
            // neither the connection nor the client has failed.
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
