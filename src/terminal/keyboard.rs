//! Keyboard input, read by a thread of its own. The program does not wait for this thread when
//! it ends.

use std::future::pending;
use std::io::{self, BufRead, IsTerminal, Read};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::single_keys::is_in_foreground;

/// Lines from standard input.
#[derive(Debug)]
pub(super) struct Lines {
    typed: UnboundedReceiver<String>,
    is_terminal: bool,
}

impl Lines {
    pub(super) fn of_stdin() -> Lines {
        let (sender, typed) = unbounded_channel();
        thread::spawn(move || {
            let mut line = Vec::new();
            wait_for_typing();
            while let Ok(1..) = io::stdin().lock().read_until(b'\n', &mut line) {
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                if sender.send(text).is_err() {
                    return;
                }
                line.clear();
                wait_for_typing();
            }
        });
        Lines {
            typed,
            is_terminal: io::stdin().is_terminal(),
        }
    }

    /// Whether standard input is a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The next line, trimmed; `None` at the end of the input.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.typed.recv().await
    }

    /// Discards what was typed before the question: it was not meant for the board that is
    /// shown now. Input from a file or a pipe is kept.
    pub(super) fn discard_typed(&mut self) {
        if self.is_terminal {
            // Fails if the terminal is gone; then there is nothing to discard.
            let _ = tcflush(io::stdin(), QueueSelector::IFlush);
            while self.typed.try_recv().is_ok() {}
        }
    }

    /// Resolves when the user asks to quit while no question is open.
    pub(super) async fn quit(&mut self) {
        if !self.is_terminal {
            return pending().await;
        }
        while let Some(line) = self.next().await {
            if is_quit(&line) {
                return;
            }
        }
    }
}

/// Waits until the user types something, if standard input is a terminal. A read in the background
/// would stop the process again as soon as it continues there, before it can handle a signal that ends
/// it.
fn wait_for_typing() {
    const PAUSE: Duration = Duration::from_millis(100);
    if !io::stdin().is_terminal() {
        return;
    }
    loop {
        let stdin = io::stdin();
        let polled = poll(&mut [PollFd::new(&stdin, PollFlags::IN)], None);
        if polled == Err(Errno::INTR) {
            continue;
        }
        // After another error, the read reports it.
        if is_in_foreground() {
            return;
        }
        // What is typed is for the shell.
        thread::sleep(PAUSE);
    }
}

/// Whether this line asks to quit.
pub(super) fn is_quit(line: &str) -> bool {
    ["q", "quit", "exit"].contains(&line.to_lowercase().as_str())
}

/// The meaning of a single key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Next,
    Back,
    Quit,
}

/// Single keys, from a terminal in the mode [`SingleKeys`](super::single_keys::SingleKeys).
#[derive(Debug)]
pub(super) struct Keys {
    typed: UnboundedReceiver<Key>,
}

impl Keys {
    pub(super) fn of_stdin() -> Keys {
        let (sender, typed) = unbounded_channel();
        thread::spawn(move || {
            // More than one key can send: an arrow key is three bytes.
            let mut bytes = [0; 16];
            wait_for_typing();
            while let Ok(length @ 1..) = io::stdin().lock().read(&mut bytes) {
                for key in keys(&bytes[..length]) {
                    if sender.send(key).is_err() {
                        return;
                    }
                }
                wait_for_typing();
            }
        });
        Keys { typed }
    }

    /// The next key; the end of input quits.
    pub(super) async fn next(&mut self) -> Key {
        self.typed.recv().await.unwrap_or(Key::Quit)
    }
}

/// The keys in these bytes; others are ignored.
fn keys(bytes: &[u8]) -> Vec<Key> {
    const CTRL_C: u8 = 3;
    const CTRL_D: u8 = 4;
    match bytes {
        b"\x1b[C" | b"\x1b[B" | b"\x1bOC" | b"\x1bOB" => vec![Key::Next],
        b"\x1b[D" | b"\x1b[A" | b"\x1bOD" | b"\x1bOA" => vec![Key::Back],
        [0x1b, ..] => vec![],
        typed => typed
            .iter()
            .filter_map(|byte| match *byte {
                b'\n' | b'\r' | b' ' | b'n' => Some(Key::Next),
                b'b' | b'p' | 0x7f => Some(Key::Back),
                b'q' | CTRL_C | CTRL_D => Some(Key::Quit),
                _ => None,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_step_forward_and_back() {
        assert_eq!(keys(b"\n xb"), [Key::Next, Key::Next, Key::Back]);
        assert_eq!(keys(b"\x1b[D"), [Key::Back]);
        assert_eq!(keys(b"\x1b[5~"), []);
        assert_eq!(keys(&[3]), [Key::Quit]);
    }
}
