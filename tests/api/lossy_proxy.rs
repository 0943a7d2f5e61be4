//! A proxy that forwards requests and loses answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::service::Client;

/// A proxy between a client and a service.
pub(crate) struct LossyProxy {
    url: String,
    to_lose: Arc<AtomicUsize>,
}

impl LossyProxy {
    /// Starts a proxy in front of the service at this URL.
    pub(crate) async fn before(url: &str) -> LossyProxy {
        let service = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let to_lose = Arc::new(AtomicUsize::new(0));
        let left = to_lose.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let service = TcpStream::connect(&service).await;
                tokio::spawn(carry(client, service.expect("the service"), left.clone()));
            }
        });
        LossyProxy {
            url: format!("http://{address}"),
            to_lose,
        }
    }

    /// A client that uses the proxy, with its own connection.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.url.clone())
    }

    /// The service will answer the next request, and the proxy will drop the answer.
    pub(crate) fn lose_the_next_answer(&self) {
        self.to_lose.fetch_add(1, Ordering::SeqCst);
    }
}

/// Copies bytes in both directions. To lose an answer, it closes both connections at the first byte
/// of the answer, when the service has carried out the request.
async fn carry(mut client: TcpStream, mut service: TcpStream, to_lose: Arc<AtomicUsize>) {
    let (mut request, mut answer) = ([0; 8192], [0; 8192]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => match read {
                Ok(length @ 1..) if service.write_all(&request[..length]).await.is_ok() => {}
                Ok(_) | Err(_) => return,
            },
            read = service.read(&mut answer) => {
                let lose = |left: usize| left.checked_sub(1);
                let order = Ordering::SeqCst;
                if to_lose.fetch_update(order, order, lose).is_ok() {
                    return;
                }
                match read {
                    Ok(length @ 1..) if client.write_all(&answer[..length]).await.is_ok() => {}
                    Ok(_) | Err(_) => return,
                }
            }
        }
    }
}
