//! Connects: makes a client of the crate that can be closed, and tests it with a first call.
//!
//! The crate's connection task holds a sender of its own channel and never ends, so the
//! socket of a dropped `Client` stays open for the life of the process. So each client gets its
//! own runtime. Dropping the client shuts the runtime down, which ends its tasks and closes its
//! sockets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kurrentdb::{Client, ReadStreamOptions, StreamPosition};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_util::context::TokioContext;

use super::connection_string::ConnectionString;
use super::error::Failure;
use super::nodelay;

/// The longest time for the first call of a new client, even if other calls may take longer.
const FIRST_CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// A stream that does not exist. Reading it needs only the leader and its index.
const NO_STREAM: &str = "connect-four-readiness";

/// A client whose connections are closed when it is dropped.
pub(super) struct OwnedClient {
    client: Client,
    /// `Some` until the client is dropped.
    runtime: Option<Runtime>,
}

impl OwnedClient {
    /// Makes a client. It connects only when it is first used. Reading certificates blocks, so
    /// this runs on a blocking thread.
    pub(super) async fn new(connection: &Arc<ConnectionString>) -> Result<OwnedClient, String> {
        let connection = connection.clone();
        let made = tokio::task::spawn_blocking(move || {
            check_certificates(&connection)?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("kurrentdb")
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            let settings = connection.settings().clone();
            match Client::with_runtime_handle(runtime.handle().clone(), settings) {
                Ok(client) => Ok(OwnedClient {
                    client,
                    runtime: Some(runtime),
                }),
                Err(error) => {
                    runtime.shutdown_background();
                    Err(error.to_string())
                }
            }
        });
        made.await.map_err(|error| error.to_string())?
    }

    /// Returns the work as a future, to be awaited while this client exists. Tasks that it
    /// spawns, such as one for a new connection, run on the client's runtime. The work itself
    /// runs on the caller's thread, which saves two thread switches per call.
    pub(super) fn run<F: Future>(&self, work: impl FnOnce(Client) -> F) -> TokioContext<F> {
        let runtime = self.runtime();
        TokioContext::new(work(self.client.clone()), runtime.handle().clone())
    }

    /// Runs the work on the client's own runtime, where it ends with the client.
    pub(super) fn spawn<F>(&self, work: impl FnOnce(Client) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.runtime().spawn(work(self.client.clone()));
    }

    fn runtime(&self) -> &Runtime {
        self.runtime
            .as_ref()
            .expect("the runtime is taken only when the client is dropped")
    }
}

impl Drop for OwnedClient {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for OwnedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedClient").finish_non_exhaustive()
    }
}

/// Checks the CA file, because the crate panics when the file contains no valid certificates.
fn check_certificates(connection: &ConnectionString) -> Result<(), String> {
    let Some(path) = connection.settings().tls_ca_file() else {
        return Ok(());
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("tlsCaFile {path}: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("tlsCaFile {path} contains no certificate"));
    }
    Ok(())
}

/// The outcome of the first call of a new client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstCall {
    /// It succeeded.
    Succeeded,
    /// The server answers, but does not allow this call to the user. Other calls may be allowed.
    Denied,
}

/// Makes a client and returns it when its first call was answered.
pub(super) async fn connect(
    connection: &Arc<ConnectionString>,
) -> Result<(OwnedClient, FirstCall), String> {
    let client = OwnedClient::new(connection).await?;
    let limit = FIRST_CALL_TIMEOUT.min(connection.call_timeout());
    let mut outcome = Err(Failure::NotDone("no call was made".to_owned()));
    // A node that is not the leader names the leader. The client uses that one from the next
    // call on.
    for _ in 0..3 {
        let probe = client.run(|client| probe(client, connection.clone()));
        outcome = timeout(limit, probe)
            .await
            .unwrap_or_else(|_| Err(Failure::Unknown(format!("no answer within {limit:?}"))));
        if !matches!(outcome, Err(Failure::NotDone(_))) {
            break;
        }
    }
    let first_call = match outcome {
        Err(Failure::Denied) => FirstCall::Denied,
        // A refusal is an answer too. Later calls get their own answers.
        Ok(())
        | Err(
            Failure::Refused(_)
            | Failure::InvalidArgument(_)
            | Failure::Conflict(_)
            | Failure::Deleted,
        ) => FirstCall::Succeeded,
        Err(Failure::Missing) => return Err("the node does not know the leader".to_owned()),
        Err(
            Failure::NotDone(reason)
            | Failure::ClientDead(reason)
            | Failure::GivenUp(reason)
            | Failure::Unknown(reason),
        ) => return Err(reason),
    };
    nodelay::set();
    Ok((client, first_call))
}

/// A cheap call that only a working leader answers.
pub(super) async fn probe(
    client: Client,
    connection: Arc<ConnectionString>,
) -> Result<(), Failure> {
    let options = ReadStreamOptions::default()
        .position(StreamPosition::Start)
        .max_count(1)
        .requires_leader(true);
    let options = connection.authenticate(options, ReadStreamOptions::authenticated);
    let mut answer = client.read_stream(NO_STREAM, &options).await?;
    match answer.next().await {
        Ok(_) | Err(kurrentdb::Error::ResourceNotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
