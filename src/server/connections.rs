//! Accepts connections and serves them with HTTP/1.1, or with HTTP/2 if the client begins with the
//! HTTP/2 preface.
//!
//! Uses hyper directly instead of `axum::serve`. `axum::serve` has no limit on the time that a client
//! takes to send the head of a request, nor on the time for which it does not read, and its
//! connections need nearly twice the memory.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::serve::Listener;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutWriter;
use tower::Service;

/// How long a client may take to send the head of a request, and how long a connection may be idle.
/// Longer than load balancers keep an idle connection (60 s is usual), so that the load balancer
/// closes it first.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// A client that stops reading is disconnected after this time. Until then, the live events that it
/// watches accumulate.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest buffer of an HTTP/1.1 connection, in bytes. It keeps what the client has not read yet.
const LARGEST_BUFFER: usize = 64 * 1024;

/// Every HTTP/2 connection begins with these bytes, and no HTTP/1.1 request does (RFC 9113, 3.4).
const HTTP_2: &[u8] = b"PRI";

/// Serves connections until `shutdown` resolves. Then accepts no more, and waits until the requests in
/// progress are answered.
pub(super) async fn serve(
    mut listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    // Axum prepares the routes here, once, instead of for every request.
    let router = router.with_state::<()>(());
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            // After an error such as too many open files, waits and tries again.
            (stream, _) = Listener::accept(&mut listener) => {
                tokio::spawn(connection(stream, router.clone(), graceful.watcher()));
            }
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn connection(stream: TcpStream, router: Router, watcher: Watcher) {
    // The head and the body of a response may be two writes. Nagle's algorithm would delay the
    // second one until the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let is_http_2 = match timeout(HEAD_TIMEOUT, begins_with(&stream, HTTP_2)).await {
        Ok(Ok(is_http_2)) => is_http_2,
        Ok(Err(_)) | Err(_) => return,
    };
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_TIMEOUT));
    let io = TokioIo::new(Box::pin(stream));
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        // Boxed, since hyper reserves space for this future for the whole life of the connection.
        Box::pin(router.clone().call(request.map(Body::new)))
    });
    let served = if is_http_2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(WRITE_TIMEOUT))
            .serve_connection(io, service);
        // Boxed, since it is larger than the HTTP/1.1 future, and there may be thousands of those.
        Box::pin(watcher.watch(connection)).await
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            // A client that has sent everything may close its side and still read the answer
            // (RFC 9112, 9.6).
            .half_close(true)
            .max_buf_size(LARGEST_BUFFER)
            .serve_connection(io, service);
        watcher.watch(connection).await
    };
    if let Err(error) = served {
        // At debug level: the client caused it. It disconnected, timed out, or did not send valid HTTP.
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// Waits for the first bytes, and does not consume them.
async fn begins_with(stream: &TcpStream, start: &[u8]) -> io::Result<bool> {
    let mut first = [0; 8];
    let length = stream.peek(&mut first).await?;
    Ok(first
        .get(..length)
        .is_some_and(|first| first.starts_with(start)))
}
