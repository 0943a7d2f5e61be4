//! Servers on loopback, in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use connect_four::event_store::{self, EventStore};
use connect_four::http::App;
use connect_four::read_model::{ReadModel, ReadModelLocation};
use connect_four::server;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

pub(crate) fn runtime(threads: &str) -> Runtime {
    Builder::new_multi_thread()
        .thread_name(threads)
        .enable_all()
        .build()
        .expect("a runtime")
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    (listener, address)
}

/// The service on the store with this URL, with its read model where the program stores it by default.
pub(crate) async fn serve_store(url: &str) -> SocketAddr {
    serve(url, event_store::open(url).await.expect("a store")).await
}

/// The service on this store, with the default read model of the store with this URL.
pub(crate) async fn serve(url: &str, store: Arc<dyn EventStore>) -> SocketAddr {
    let location = ReadModelLocation::of_event_store(url);
    let read_model = ReadModel::open(&location).await.expect("a new read model");
    serve_app(App::with_read_model(store, Arc::new(read_model))).await
}

pub(crate) async fn serve_app(app: App) -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(server::serve(app, listener, std::future::pending()));
    address
}

/// A baseline: a server with only these routes.
pub(crate) async fn serve_bare(routes: Router) -> SocketAddr {
    let (listener, address) = listener().await;
    let listener = listener.tap_io(|connection| {
        connection.set_nodelay(true).expect("a TCP socket");
    });
    let service = routes.into_make_service();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}
