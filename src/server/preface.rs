//! Tells HTTP/2 connections from HTTP/1.1 connections.

use std::io::{self, Cursor};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Every HTTP/2 connection begins with these bytes, and no HTTP/1.1 request does (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The first bytes of a connection.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) is_http_2: bool,
    /// The bytes that were read, to be read again by the parser.
    pub(super) bytes: Cursor<Vec<u8>>,
}

/// Reads until the bytes are the whole preface of HTTP/2, or differ from it. They may arrive in any pieces.
pub(super) async fn read_beginning(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Beginning> {
    let mut bytes = Vec::with_capacity(PREFACE.len());
    while bytes.len() < PREFACE.len() && PREFACE.starts_with(&bytes) {
        let missing = PREFACE.len() - bytes.len();
        if stream.take(missing as u64).read_buf(&mut bytes).await? == 0 {
            break;
        }
    }
    Ok(Beginning {
        is_http_2: bytes == PREFACE,
        bytes: Cursor::new(bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream of these two pieces begins with, and all bytes that can still be read.
    async fn beginning(first: &[u8], second: &[u8]) -> (bool, Vec<u8>) {
        let mut stream = first.chain(second);
        let beginning = read_beginning(&mut stream).await.expect("readable");
        let mut all = Vec::new();
        let mut rest = beginning.bytes.chain(stream);
        rest.read_to_end(&mut all).await.expect("readable");
        (beginning.is_http_2, all)
    }

    #[tokio::test]
    async fn the_preface_is_recognised_in_any_two_pieces_and_no_byte_is_lost() {
        let sent = [PREFACE, b"frames"].concat();
        for split in 0..=PREFACE.len() {
            let (first, second) = sent.split_at(split);
            assert_eq!(beginning(first, second).await, (true, sent.clone()));
        }
    }

    #[tokio::test]
    async fn everything_else_is_http_1() {
        for sent in [
            &b"PRINT / HTTP/1.1\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/1.1\r\n\r\n",
            b"PRI",
            b"",
        ] {
            for split in 0..=sent.len() {
                let (first, second) = sent.split_at(split);
                assert_eq!(beginning(first, second).await, (false, sent.to_vec()));
            }
        }
    }
}
