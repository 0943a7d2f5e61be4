//! A network that carries requests and loses answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::service::Client;

/// Stands between a client and a service.
pub(crate) struct LossyProxy {
    url: String,
    to_lose: Arc<AtomicUsize>,
}

impl LossyProxy {
    /// In front of the service at this URL.
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

    /// Somebody who speaks through it, on a connection of its own.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.url.clone())
    }

    /// The service will answer the next request, and nobody will hear it.
    pub(crate) fn lose_the_next_answer(&self) {
        self.to_lose.fetch_add(1, Ordering::SeqCst);
    }
}

/// Carries bytes both ways, until an answer is to be lost: then both connections end at its
/// first byte, when the service has done its work.
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
