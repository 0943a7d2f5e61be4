//! Captures the log lines of the current thread.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::fmt::MakeWriter;

/// Collects log lines until it is dropped.
pub(crate) struct Logs {
    written: Written,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// For a test whose runtime runs on this thread only.
    pub(crate) fn of_this_thread() -> Logs {
        let written = Written::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(written.clone())
            .finish();
        Logs {
            written,
            _guard: set_default(subscriber),
        }
    }

    /// The lines that contain this text.
    pub(crate) fn with(&self, text: &str) -> Vec<String> {
        let written = self.written.0.lock().expect("nothing panics");
        let lines = String::from_utf8_lossy(&written);
        let lines = lines.lines().filter(|line| line.contains(text));
        lines.map(str::to_owned).collect()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().expect("nothing panics");
        written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Written;

    fn make_writer(&'a self) -> Written {
        self.clone()
    }
}
