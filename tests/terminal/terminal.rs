//! A pseudo-terminal: tests type lines and read the screen.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::termios::{LocalModes, tcgetattr};
use tempfile::TempDir;
use vt100::Parser;

/// The longest wait for expected output. Only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const ROWS: NonZeroU16 = NonZeroU16::new(30).expect("more than none");
const COLUMNS: NonZeroU16 = NonZeroU16::new(120).expect("more than none");

/// A program in a pseudo-terminal. Killed when dropped.
pub(crate) struct Terminal {
    child: Child,
    pty: Arc<Pty>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    _state: TempDir,
}

struct Seen {
    screen: Parser,
    bytes: Vec<u8>,
    is_over: bool,
}

impl Terminal {
    /// Runs `connect-four` with these arguments.
    pub(crate) fn run(arguments: &[&str]) -> Terminal {
        Terminal::run_with(arguments, &[])
    }

    /// Runs a command that another terminal shows: variables, the name of the program, its arguments.
    pub(crate) fn run_line(line: &str) -> Terminal {
        let (variables, arguments) = line.split_once("connect-four ").expect("our program");
        let variables = variables.split_whitespace();
        let variables: Vec<_> = variables.filter_map(|set| set.split_once('=')).collect();
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        Terminal::run_with(&arguments, &variables)
    }

    /// The same, with these environment variables. Each terminal has a state directory of its own, as on
    /// different machines, unless the variables name one.
    pub(crate) fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let (pty, pts) = open().expect("a pseudo-terminal");
        pty.resize(Size::new(ROWS.get(), COLUMNS.get()))
            .expect("a size");
        let state = TempDir::new().expect("a folder");
        let child = Command::new(env!("CARGO_BIN_EXE_connect-four"))
            .args(arguments)
            .env_remove("SERVER")
            .env_remove("PLAYER_TOKEN")
            .env("XDG_STATE_HOME", state.path())
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .envs(variables.iter().copied())
            .spawn(pts)
            .expect("the program starts");
        let pty = Arc::new(pty);
        let seen = Arc::new((
            Mutex::new(Seen {
                screen: Parser::new(ROWS, COLUMNS, 0),
                bytes: vec![],
                is_over: false,
            }),
            Condvar::new(),
        ));
        let (output, shared) = (pty.clone(), seen.clone());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The read fails when the program ends.
            while let Ok(length @ 1..) = (&*output).read(&mut bytes) {
                let mut seen = lock(&shared.0);
                seen.screen.process(&bytes[..length]);
                seen.bytes.extend(&bytes[..length]);
                shared.1.notify_all();
            }
            lock(&shared.0).is_over = true;
            shared.1.notify_all();
        });
        Terminal {
            child,
            pty,
            seen,
            _state: state,
        }
    }

    /// Types this text and presses Enter.
    pub(crate) fn types(&self, line: &str) {
        self.presses(&format!("{line}\r"));
    }

    /// Presses these keys.
    pub(crate) fn presses(&self, keys: &str) {
        (&*self.pty)
            .write_all(keys.as_bytes())
            .expect("a terminal to type at");
    }

    /// Waits until the screen shows this text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.wait(text, |seen| seen.screen.screen().contents().contains(text));
    }

    /// Waits until the program has written this text, even if the screen no longer shows it.
    #[track_caller]
    pub(crate) fn has_written(&self, text: &str) {
        self.wait(text, |seen| {
            String::from_utf8_lossy(&seen.bytes).contains(text)
        });
    }

    /// Waits until the program has written this text so often.
    #[track_caller]
    pub(crate) fn has_written_times(&self, text: &str, times: usize) {
        self.wait(text, |seen| {
            String::from_utf8_lossy(&seen.bytes).matches(text).count() >= times
        });
    }

    /// Whether the terminal echoes what is typed and passes it on by lines, as at the start.
    pub(crate) fn is_as_at_the_start(&self) -> bool {
        let modes = tcgetattr(&*self.pty).expect("a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a process of ours");
    }

    /// Waits until the program is stopped.
    #[track_caller]
    pub(crate) fn stops(&self) {
        let program = Pid::from_child(&self.child);
        let (sender, stopped) = mpsc::channel();
        thread::spawn(move || sender.send(waitpid(Some(program), WaitOptions::UNTRACED)));
        let status = stopped.recv_timeout(PATIENCE).expect("a stop");
        let (_, status) = status.expect("a process of ours").expect("a status");
        assert!(status.stopped(), "{status:?}");
    }

    /// The current text of the screen.
    pub(crate) fn screen(&self) -> String {
        lock(&self.seen.0).screen.screen().contents()
    }

    /// The command below this note on the screen.
    pub(crate) fn command_below(&self, note: &str) -> String {
        let screen = self.screen();
        let (_, below) = screen.split_once(note).expect("the note");
        let line = below.lines().nth(1).expect("a line below it");
        line.trim().to_owned()
    }

    /// Everything that was written so far, including escape sequences.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&lock(&self.seen.0).bytes).into_owned()
    }

    /// Waits until the program ends, and returns its exit code.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> Option<i32> {
        self.wait("its end", |seen| seen.is_over);
        self.child.wait().expect("a process of ours").code()
    }

    #[track_caller]
    fn wait(&self, what: &str, has_come: impl Fn(&Seen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = lock(&self.seen.0);
        while !has_come(&seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !seen.is_over,
                "waited for {what}; the screen shows\n{}",
                seen.screen.screen().contents()
            );
            let waited = self.seen.1.wait_timeout(seen, left);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // An error means that the program already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
