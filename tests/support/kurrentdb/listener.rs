//! The double's connections, and how they end.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{Shared, rpc};

/// Kestrel's limit, which the server does not raise.
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
        tokio::spawn(until_cut.run_until_cancelled_owned(async move {
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
    // An end with an error is a client that went away.
    let _ = hyper::server::conn::http2::Builder::new(UntilCut(until_cut))
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .serve_connection(TokioIo::new(connection), TowerToHyperService::new(router))
        .await;
}

/// Runs what belongs to a connection until that is lost: left to themselves, the handlers
/// of lost calls would go on.
#[derive(Clone)]
struct UntilCut(CancellationToken);

impl<F> hyper::rt::Executor<F> for UntilCut
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, work: F) {
        tokio::spawn(self.0.clone().run_until_cancelled_owned(work));
    }
}
