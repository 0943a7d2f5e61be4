//! Logs: written by a thread of their own, so that no request waits for a log line or fails
//! because of one.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How many lines wait at most while standard output takes none. Later ones are lost.
const WAITING_LINES: usize = 8192;

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// Why logging did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter does not parse.
    #[error("--log (RUST_LOG): {0}")]
    InvalidFilter(#[from] tracing_subscriber::filter::ParseError),
    /// Standard output is closed.
    #[error("standard output cannot be used for logs: {0}")]
    Output(#[from] io::Error),
}

/// The log of this process.
#[derive(Debug, Clone)]
pub struct Logs {
    queue: ErrorCounter,
    counts: Arc<Counts>,
}

/// What happened to the lines that were logged.
#[derive(Debug, Default)]
struct Counts {
    logged: AtomicU64,
    failed: AtomicU64,
    /// Lines that the thread has dealt with, written or failed.
    done: Mutex<u64>,
    is_done: Condvar,
}

/// Starts writing logs to standard output, in colour on a terminal. To be called once.
pub fn init(format: LogFormat, filter: &str) -> Result<Logs, TelemetryError> {
    let filter = EnvFilter::try_new(filter)?;
    let counts = Arc::new(Counts::default());
    let output = Output {
        // A descriptor of its own: a write that blocks must not hold the lock of `io::stdout`,
        // which is flushed when the process exits.
        file: standard_output()?,
        counts: counts.clone(),
    };
    let (queue, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES)
        .finish(output);
    // When the thread is stuck, dropping the guard prints that, and gets stuck as well.
    // `Logs::flush` waits instead.
    mem::forget(guard);
    let logs = Logs {
        queue: queue.error_counter(),
        counts: counts.clone(),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stdout().is_terminal())
        .log_internal_errors(false)
        .with_writer(Queue { queue, counts });
    match format {
        LogFormat::Text => subscriber.with_target(false).init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    Ok(logs)
}

impl Logs {
    /// How many lines were lost: standard output failed, or did not take them in time.
    pub fn lost_lines(&self) -> u64 {
        let dropped = u64::try_from(self.queue.dropped_lines()).unwrap_or(u64::MAX);
        dropped.saturating_add(self.counts.failed.load(Ordering::Relaxed))
    }

    /// Waits until every line that was logged so far is written, but no longer than this.
    pub fn flush(&self, limit: Duration) {
        let logged = self.counts.logged.load(Ordering::Relaxed);
        let dropped = u64::try_from(self.queue.dropped_lines()).unwrap_or(u64::MAX);
        let queued = logged.saturating_sub(dropped);
        let done = self.counts.done.lock();
        let done = done.unwrap_or_else(PoisonError::into_inner);
        // Whether the time is up makes no difference to the caller.
        drop(
            self.counts
                .is_done
                .wait_timeout_while(done, limit, |done| *done < queued),
        );
    }
}

#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn standard_output() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

/// The way to the thread that writes. Never waits.
struct Queue {
    queue: NonBlocking,
    counts: Arc<Counts>,
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = NonBlocking;

    /// Called once per line.
    fn make_writer(&'a self) -> NonBlocking {
        self.counts.logged.fetch_add(1, Ordering::Relaxed);
        self.queue.clone()
    }
}

/// Standard output, as the thread writes to it. A line that fails is counted.
struct Output {
    file: File,
    counts: Arc<Counts>,
}

impl Write for Output {
    /// Called once per line, with all of it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.file.write_all(line).is_err() {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
        }
        let done = self.counts.done.lock();
        *done.unwrap_or_else(PoisonError::into_inner) += 1;
        self.counts.is_done.notify_all();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
