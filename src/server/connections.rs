//! Accepts connections and serves them: HTTP/1.1, and HTTP/2 for who begins with its preface.
//!
//! Over hyper itself and not `axum::serve`, which bounds neither the time that a client takes
//! for a request's head nor the time for which it does not read, and whose connections take
//! nearly twice the memory.

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

/// How long a client may take for the head of a request, and how long it may have none: longer
/// than load balancers keep a connection (60 seconds is usual), so that it is theirs to close.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a client may not take what is written to it. What it watches grows meanwhile.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of what a client does not take is kept for it, in bytes.
const LARGEST_BUFFER: usize = 64 * 1024;

/// What every HTTP/2 connection begins with, and no HTTP/1.1 request (RFC 9113, 3.4).
const HTTP_2: &[u8] = b"PRI";

/// Serves every connection until the shutdown resolves, then lets each finish the answer that
/// is under way.
pub(super) async fn serve(
    mut listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    // Routes are made ready here, once, and not for every request.
    let router = router.with_state::<()>(());
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            // Waits out errors such as too many open files.
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
    // An answer's head and body may leave in two writes; Nagle's algorithm would hold the
    // second back until the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let is_http_2 = match timeout(HEAD_TIMEOUT, begins_with(&stream, HTTP_2)).await {
        Ok(Ok(is_http_2)) => is_http_2,
        Ok(Err(_)) | Err(_) => return,
    };
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_TIMEOUT));
    let io = TokioIo::new(Box::pin(stream));
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        // Boxed, since hyper keeps room for it as long as the connection lives.
        Box::pin(router.clone().call(request.map(Body::new)))
    });
    let served = if is_http_2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(WRITE_TIMEOUT))
            .serve_connection(io, service);
        // Larger than the other, of which there may be thousands.
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
        // The client's doing, all of it: it left, it was silent, or it did not speak HTTP.
        tracing::debug!(%error, "a connection ended");
    }
}

/// Waits for the first bytes and leaves them there.
async fn begins_with(stream: &TcpStream, start: &[u8]) -> io::Result<bool> {
    let mut first = [0; 8];
    let length = stream.peek(&mut first).await?;
    Ok(first
        .get(..length)
        .is_some_and(|first| first.starts_with(start)))
}
