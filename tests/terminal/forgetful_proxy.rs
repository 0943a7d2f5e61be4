//! A proxy that forwards commands and loses their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A proxy between a client and a service.
pub(crate) struct ForgetfulProxy {
    pub(crate) url: String,
    to_lose: Arc<AtomicUsize>,
}

impl ForgetfulProxy {
    /// Starts a proxy in front of the service at this URL.
    pub(crate) async fn before(url: &str) -> ForgetfulProxy {
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
        ForgetfulProxy {
            url: format!("http://{address}"),
            to_lose,
        }
    }

    /// The next `count` answers to POST and PUT will be lost. Other answers and events arrive.
    pub(crate) fn lose_answers_to_commands(&self, count: usize) {
        self.to_lose.store(count, Ordering::SeqCst);
    }

    /// The number of answers that are still to be lost.
    pub(crate) fn left_to_lose(&self) -> usize {
        self.to_lose.load(Ordering::SeqCst)
    }
}

async fn carry(mut client: TcpStream, mut service: TcpStream, to_lose: Arc<AtomicUsize>) {
    let (mut request, mut answer) = ([0; 8192], [0; 8192]);
    let mut is_command = false;
    loop {
        tokio::select! {
            read = client.read(&mut request) => match read {
                Ok(length @ 1..) if service.write_all(&request[..length]).await.is_ok() => {
                    is_command |= request.starts_with(b"POST ") || request.starts_with(b"PUT ");
                }
                Ok(_) | Err(_) => return,
            },
            read = service.read(&mut answer) => {
                let lose = |left: usize| left.checked_sub(1);
                let order = Ordering::SeqCst;
                if is_command && to_lose.fetch_update(order, order, lose).is_ok() {
                    return;
                }
                is_command = false;
                match read {
                    Ok(length @ 1..) if client.write_all(&answer[..length]).await.is_ok() => {}
                    Ok(_) | Err(_) => return,
                }
            }
        }
    }
}
