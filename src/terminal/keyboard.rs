//! What people type, read beside everything else: a thread that waits for a key ends with the
//! process and keeps nobody waiting.

use std::future::pending;
use std::io::{self, BufRead, IsTerminal, Read};
use std::thread;

use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Whole lines.
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
            while let Ok(1..) = io::stdin().lock().read_until(b'\n', &mut line) {
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                if sender.send(text).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Lines {
            typed,
            is_terminal: io::stdin().is_terminal(),
        }
    }

    /// Whether somebody sees what they type.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The next line, without white space around it; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.typed.recv().await
    }

    /// Forgets what was typed when nothing was asked: it was not meant for the board that
    /// came since. What a file says was meant as it is.
    pub(super) fn forget(&mut self) {
        if self.is_terminal {
            // Not a terminal any more? Then nothing is waiting in it.
            let _ = tcflush(io::stdin(), QueueSelector::IFlush);
            while self.typed.try_recv().is_ok() {}
        }
    }

    /// Comes when somebody wants to leave although nothing was asked.
    pub(super) async fn leave(&mut self) {
        if !self.is_terminal {
            return pending().await;
        }
        while let Some(line) = self.next().await {
            if leaves(&line) {
                return;
            }
        }
    }
}

/// Whether a line says that somebody has had enough.
pub(super) fn leaves(line: &str) -> bool {
    ["q", "quit", "exit"].contains(&line.to_lowercase().as_str())
}

/// What a single key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Next,
    Back,
    Quit,
}

/// Single keys. The terminal gives them out one by one for as long as this lives.
#[derive(Debug)]
pub(super) struct Keys {
    typed: UnboundedReceiver<Key>,
    before: Termios,
}

impl Keys {
    /// Fails when the standard input is no terminal.
    pub(super) fn of_terminal() -> io::Result<Keys> {
        let before = tcgetattr(io::stdin())?;
        let mut single = before.clone();
        // Without signals too: Ctrl-C is a key that quits, and finds the terminal as it was.
        single
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        single.special_codes[SpecialCodeIndex::VMIN] = 1;
        single.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &single)?;
        let (sender, typed) = unbounded_channel();
        thread::spawn(move || {
            // As much as one key sends: an arrow is three bytes.
            let mut bytes = [0; 16];
            while let Ok(length @ 1..) = io::stdin().lock().read(&mut bytes) {
                for key in keys(&bytes[..length]) {
                    if sender.send(key).is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Keys { typed, before })
    }

    /// The next key; the end of input quits.
    pub(super) async fn next(&mut self) -> Key {
        self.typed.recv().await.unwrap_or(Key::Quit)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// The keys that mean something.
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
    fn keys_step_forth_and_back() {
        assert_eq!(keys(b"\n xb"), [Key::Next, Key::Next, Key::Back]);
        assert_eq!(keys(b"\x1b[D"), [Key::Back]);
        assert_eq!(keys(b"\x1b[5~"), []);
        assert_eq!(keys(&[3]), [Key::Quit]);
    }
}
