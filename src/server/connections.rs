//! Accepts connections and serves them with HTTP/1.1, or with HTTP/2 if the client begins with the
//! HTTP/2 preface.
//!
//! Uses hyper directly instead of `axum::serve`. `axum::serve` has no limit on the time that a client
//! takes to send the head of a request, nor on the time for which it does not read, and its
//! connections need nearly twice the memory.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::descriptors;
use super::in_flight::{InFlight, ResponseBody};
use super::preface::read_beginning;
use super::streams::{OpenStream, Quiet, Streams};
use crate::metrics::Metrics;

/// How long a client may take to send the head of a request, and how long a connection may be idle.
/// Longer than load balancers keep an idle connection (60 s is usual), so that the load balancer
/// closes it first.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// A client that stops reading is disconnected after this time. Until then, the live events that it
/// watches accumulate.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection stays open at shutdown when no request is in flight any more: long enough to
/// send the last bytes of a response.
const LAST_BYTES: Duration = Duration::from_millis(250);

/// The largest buffer of an HTTP/1.1 connection, in bytes. It keeps what the client has not read yet.
const LARGEST_BUFFER: usize = 64 * 1024;

/// How many requests may be in flight on an HTTP/2 connection. RFC 9113 (6.5.2) recommends at least
/// this number.
const STREAMS: u32 = 100;

/// How many connections are told at once that there are too many connections. More are closed without
/// a response.
const REFUSALS: usize = 32;

/// How long a client may take to send a request that is refused, and to read the response.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves connections until `shutdown` resolves. Then accepts no more, and waits until the requests in
/// flight are answered. `refusing` answers the requests of connections for which no file descriptors are
/// left.
pub(super) async fn serve(
    mut listener: TcpListener,
    router: Router,
    refusing: Router,
    metrics: Metrics,
    shutdown: impl Future<Output = ()>,
) {
    // Axum prepares the routes here, once, instead of for every request.
    let (router, refusing) = (router.with_state::<()>(()), refusing.with_state::<()>(()));
    let most = descriptors::for_connections();
    let server = Arc::new(Server {
        router,
        requests: TaskTracker::new(),
        stopping: CancellationToken::new(),
    });
    let mut connections = JoinSet::new();
    let mut refusals = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            // After an error such as too many open files, waits and tries again.
            (stream, _) = Listener::accept(&mut listener) => {
                if connections.len() >= most {
                    // Some may have ended since.
                    while connections.try_join_next().is_some() {}
                }
                if connections.len() < most {
                    let open = metrics.connection_opens();
                    let server = server.clone();
                    connections.spawn(async move {
                        connection(stream, server).await;
                        drop(open);
                    });
                } else if refusals.len() < REFUSALS {
                    refusals.spawn(refusal(stream, refusing.clone()));
                }
            }
            // These only free the slots of connections that have ended.
            Some(_) = connections.join_next() => {}
            Some(_) = refusals.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    server.stopping.cancel();
    let all_are_closed = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = all_are_closed => {}
        () = server.no_request_is_in_flight() => {}
    }
    // Dropping the sets closes the connections that are left. They have sent a part of a request at most.
}

/// What connections share.
#[derive(Debug)]
struct Server {
    router: Router,
    /// Has a token for each request in flight.
    requests: TaskTracker,
    stopping: CancellationToken,
}

impl Server {
    async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
        stream: Option<OpenStream>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let in_flight = InFlight::new(self.requests.token(), stream);
        let response = self.router.clone().call(request.map(Body::new)).await?;
        Ok(response.map(|body| in_flight.respond(body)))
    }

    async fn no_request_is_in_flight(&self) {
        self.requests.close();
        loop {
            self.requests.wait().await;
            sleep(LAST_BYTES).await;
            if self.requests.is_empty() {
                return;
            }
        }
    }
}

async fn connection(mut stream: TcpStream, server: Arc<Server>) {
    // The head and the body of a response may be two writes. Nagle's algorithm would delay the
    // second one until the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let beginning = tokio::select! {
        read = timeout(HEAD_TIMEOUT, read_beginning(&mut stream)) => match read {
            Ok(Ok(beginning)) => beginning,
            Ok(Err(_)) | Err(_) => return,
        },
        () = server.stopping.cancelled() => return,
    };
    let (reader, writer) = stream.into_split();
    let mut writer = TimeoutWriter::new(writer);
    writer.set_timeout(Some(WRITE_TIMEOUT));
    let stream = Box::pin(join(beginning.bytes.chain(reader), writer));
    let served = if beginning.is_http_2 {
        // Boxed, since it is larger than the HTTP/1.1 future, and there may be thousands of those.
        Box::pin(serve_http_2(stream, server)).await
    } else {
        serve_http_1(stream, server).await
    };
    if let Err(error) = served {
        // At debug level: the client caused it. It disconnected, timed out, or did not send valid HTTP.
        tracing::debug!(%error, "a connection ended with an error");
    }
}

async fn serve_http_1(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    server: Arc<Server>,
) -> hyper::Result<()> {
    let stopping = server.stopping.clone();
    // Boxed, since hyper reserves space for this future for the whole life of the connection.
    let service = service_fn(move |request| Box::pin(server.clone().respond(request, None)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // A client that has sent everything may close its side and still read the answer
        // (RFC 9112, 9.6).
        .half_close(true)
        .max_buf_size(LARGEST_BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        served = connection.as_mut() => return served,
        () = stopping.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

async fn serve_http_2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    server: Arc<Server>,
) -> hyper::Result<()> {
    let stopping = server.stopping.clone();
    let streams = Arc::new(Streams::default());
    let opening = streams.clone();
    let service =
        service_fn(move |request| Box::pin(server.clone().respond(request, Some(opening.open()))));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(WRITE_TIMEOUT))
        .max_concurrent_streams(STREAMS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        served = connection.as_mut() => return served,
        quiet = streams.quiet(HEAD_TIMEOUT, WRITE_TIMEOUT) => if quiet == Quiet::Stalled {
            tracing::debug!("a client takes no data of any stream of its connection");
            return Ok(());
        },
        () = stopping.cancelled() => {}
    }
    // Tells the client, so that it sends no request that is lost. It has to confirm this.
    connection.as_mut().graceful_shutdown();
    timeout(WRITE_TIMEOUT, connection).await.unwrap_or(Ok(()))
}

/// Answers the first request of a connection, and closes it.
async fn refusal(stream: TcpStream, refusing: Router) {
    let service =
        service_fn(move |request: Request<Incoming>| refusing.clone().call(request.map(Body::new)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    // An error means that the client did not send a request in time.
    let _ = timeout(REFUSAL_TIMEOUT, connection).await;
}
