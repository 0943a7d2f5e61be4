//! A proxy between the client and the double that can stop forwarding without closing connections,
//! like a network that drops packets.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

#[derive(Default, Clone, Copy)]
struct State {
    is_frozen: bool,
    /// Connections with a smaller number carry no more bytes.
    first: usize,
    connections: usize,
}

/// Forwards to the double until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    _forwarding: JoinSet<()>,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = watch::Sender::new(State::default());
        let mut forwarding = JoinSet::new();
        let shared = state.clone();
        forwarding.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let number = shared.borrow().connections;
                shared.send_modify(|state| state.connections += 1);
                connections.spawn(forward(client, target, number, shared.subscribe()));
            }
        });
        Proxy {
            address,
            state,
            _forwarding: forwarding,
        }
    }

    /// Holds all bytes back from now on. Connections stay open and new ones are accepted.
    pub fn freeze(&self) {
        self.state.send_modify(|state| state.is_frozen = true);
    }

    /// Forwards the bytes that were held back.
    pub fn thaw(&self) {
        self.state.send_modify(|state| state.is_frozen = false);
    }

    /// The current connections stay open but carry nothing any more, as if a firewall had dropped
    /// their state. New connections work.
    pub fn forget_connections(&self) {
        self.state
            .send_modify(|state| state.first = state.connections);
    }

    pub fn connection_string(&self) -> String {
        format!("kurrentdb://{}?tls=false", self.address)
    }
}

async fn forward(
    client: TcpStream,
    target: SocketAddr,
    number: usize,
    state: watch::Receiver<State>,
) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a TCP connection");
    }
    let (mut client_reads, mut client_writes) = client.into_split();
    let (mut server_reads, mut server_writes) = server.into_split();
    tokio::select! {
        () = pump(&mut client_reads, &mut server_writes, number, state.clone()) => {}
        () = pump(&mut server_reads, &mut client_writes, number, state) => {}
    }
}

async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    number: usize,
    mut state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let flows = |state: &State| !state.is_frozen && number >= state.first;
        if state.wait_for(flows).await.is_err() || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
