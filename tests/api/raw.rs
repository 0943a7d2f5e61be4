//! Bytes on a TCP connection, for requests that no HTTP library sends.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::service::{Answer, Client};
use crate::watcher::PATIENCE;

/// A connection to the service.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn connect(&self) -> Raw {
        let address = self.url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a TCP option");
        Raw(stream)
    }

    /// Sends these bytes on a new connection, and returns all bytes up to the end of the connection.
    pub(crate) async fn exchange(&self, sent: &str) -> Vec<u8> {
        let mut raw = self.connect().await;
        raw.send(sent).await;
        raw.rest().await
    }
}

impl Raw {
    pub(crate) async fn send(&mut self, text: &str) {
        let sent = self.0.write_all(text.as_bytes()).await;
        sent.expect("an open connection");
    }

    /// Everything up to the end of the connection, which may be a reset.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut received = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut received)).await;
        let _ = read.expect("the connection ends in time");
        received
    }

    /// Sends a request without a body, and returns the answer. The connection stays open.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
            .await;
        let mut received = Vec::new();
        loop {
            let read = timeout(PATIENCE, self.0.read_buf(&mut received)).await;
            let read = read
                .expect("an answer in time")
                .expect("an open connection");
            let text = String::from_utf8_lossy(&received);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.expect("a length").parse().expect("a number");
                if body.len() == length {
                    return Answer::parse("GET", path, &received);
                }
            }
            assert_ne!(read, 0, "the connection ended: {text}");
        }
    }
}
