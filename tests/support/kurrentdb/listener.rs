//! Accepts the double's connections, and ends them.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{Shared, rpc};

/// The default limit of concurrent HTTP/2 streams of Kestrel, the server's web server. KurrentDB
/// does not raise it.
const STREAMS_PER_CONNECTION: u32 = 100;

pub(super) fn reusable_socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a fresh socket");
    socket.bind(address).expect("the port is free or ours");
    socket
}

pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let router = rpc::router(shared.clone());
    while let Ok((connection, _)) = listener.accept().await {
        let is_open = shared.counts.connect();
        connection.set_nodelay(true).expect("a TCP connection");
        let until_cut = shared.connections().child_token();
        let (tls, router, of_connection) = (tls.clone(), router.clone(), until_cut.clone());
        tokio::spawn(run_until_cut(until_cut, async move {
            let _is_open = is_open;
            match tls {
                None => serve(connection, router, of_connection).await,
                // A client without a certificate is refused in the handshake.
                Some(tls) => {
                    if let Ok(connection) = tls.accept(connection).await {
                        serve(connection, router, of_connection).await;
                    }
                }
            }
        }));
    }
}

async fn serve(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: axum::Router,
    until_cut: CancellationToken,
) {
    // An error means that the client closed the connection.
    let _ = hyper::server::conn::http2::Builder::new(UntilCut(until_cut))
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .serve_connection(TokioIo::new(connection), TowerToHyperService::new(router))
        .await;
}

/// Runs the work of a connection until the connection is cut. Without this, handlers would continue
/// after their connection is lost.
#[derive(Clone)]
struct UntilCut(CancellationToken);

impl<F> hyper::rt::Executor<F> for UntilCut
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, work: F) {
        tokio::spawn(run_until_cut(self.0.clone(), work));
    }
}

/// The cut is polled first, so that work that becomes ready at the same time sends nothing.
async fn run_until_cut(cut: CancellationToken, work: impl Future) {
    tokio::select! {
        biased;
        () = cut.cancelled() => {}
        _ = work => {}
    }
}
