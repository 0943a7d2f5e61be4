//! A wire in between that can be told to stop forwarding, as a network does that drops
//! packets: nobody is told.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Forwards to the double until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    frozen: watch::Sender<bool>,
    _forwarding: JoinSet<()>,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let frozen = watch::Sender::new(false);
        let mut forwarding = JoinSet::new();
        let is_frozen = frozen.subscribe();
        forwarding.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(forward(client, target, is_frozen.clone()));
            }
        });
        Proxy {
            address,
            frozen,
            _forwarding: forwarding,
        }
    }

    /// Bytes wait from now on; connections stay open and new ones are accepted.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// Bytes that waited arrive.
    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }

    pub fn connection_string(&self) -> String {
        format!("kurrentdb://{}?tls=false", self.address)
    }
}

async fn forward(client: TcpStream, target: SocketAddr, frozen: watch::Receiver<bool>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a TCP connection");
    }
    let (mut client_reads, mut client_writes) = client.into_split();
    let (mut server_reads, mut server_writes) = server.into_split();
    tokio::select! {
        () = pump(&mut client_reads, &mut server_writes, frozen.clone()) => {}
        () = pump(&mut server_reads, &mut client_writes, frozen) => {}
    }
}

async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut frozen: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if frozen.wait_for(|frozen| !frozen).await.is_err()
            || to.write_all(&buffer[..count]).await.is_err()
        {
            return;
        }
    }
}
