//! A server that sends prepared answers, whatever is requested.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Serves until the test process ends.
pub(crate) struct PreparedServer {
    pub(crate) url: String,
}

impl PreparedServer {
    /// Sends one answer per request, and the last one to every later request.
    pub(crate) fn with(answers: Vec<String>) -> PreparedServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        thread::spawn(move || {
            let last = answers.last().expect("an answer").clone();
            let mut answers = answers.into_iter().chain(std::iter::repeat(last));
            for connection in listener.incoming().map_while(Result::ok) {
                let answer = answers.next().expect("the last one is repeated");
                // An error means that the client has ended.
                drop(reply(&connection, &answer));
            }
        });
        PreparedServer {
            url: format!("http://{address}"),
        }
    }
}

fn reply(mut connection: &TcpStream, answer: &str) -> std::io::Result<()> {
    for line in BufReader::new(connection).lines() {
        if line?.is_empty() {
            break;
        }
    }
    connection.write_all(answer.as_bytes())
}

/// An answer with this status, these further header lines and this body.
pub(crate) fn answer(head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}
