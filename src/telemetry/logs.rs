//! Logging. A separate thread writes the lines, so no request waits for a log line or fails because of
//! one.

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

use super::traces::{Traces, TracesError};

/// How many lines are queued at most while standard output is blocked. Further lines are lost.
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
    /// The log filter is not valid.
    #[error("--log (RUST_LOG): {0}")]
    InvalidFilter(#[from] tracing_subscriber::filter::ParseError),
    /// Standard output is not available, for example because it is closed.
    #[error("standard output cannot be used for logs: {0}")]
    Output(#[from] io::Error),
    /// Traces cannot be exported as configured.
    #[error(transparent)]
    Traces(#[from] TracesError),
}

/// A handle to the log of this process.
#[derive(Debug, Clone)]
pub struct Logs {
    queue: ErrorCounter,
    counts: Arc<Counts>,
}

/// Counts what happened to the log lines.
#[derive(Debug, Default)]
struct Counts {
    logged: AtomicU64,
    /// Lines that standard output refused.
    failed: AtomicU64,
    /// Lines that the thread has processed, whether or not they could be written.
    done: Mutex<u64>,
    is_done: Condvar,
}

/// Starts logging to standard output, in colour on a terminal, and exporting these traces. Must be called
/// only once.
pub fn init(format: LogFormat, filter: &str, traces: &Traces) -> Result<Logs, TelemetryError> {
    let filter = EnvFilter::try_new(filter)?;
    let counts = Arc::new(Counts::default());
    let output = Output {
        // A separate file descriptor: a blocked write must not hold the lock of `io::stdout`, which
        // is needed to flush it when the process exits.
        file: standard_output()?,
        counts: counts.clone(),
    };
    let (queue, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES)
        .finish(output);
    // If the thread is blocked, dropping the guard prints a message about that, and blocks as well.
    // `Logs::flush` waits with a time limit instead.
    mem::forget(guard);
    let logs = Logs {
        queue: queue.error_counter(),
        counts: counts.clone(),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(io::stdout().is_terminal())
        .log_internal_errors(false)
        .with_writer(Queue { queue, counts });
    match format {
        LogFormat::Text => traces.install(lines.with_target(false), filter),
        LogFormat::Json => traces.install(lines.json().flatten_event(true), filter),
    }
    Ok(logs)
}

impl Logs {
    /// How many lines were lost since the start: standard output refused them, or did not take
    /// them in time.
    pub fn lost_lines(&self) -> u64 {
        let dropped = u64::try_from(self.queue.dropped_lines()).unwrap_or(u64::MAX);
        dropped.saturating_add(self.counts.failed.load(Ordering::Relaxed))
    }

    /// Waits until every line logged so far is written, but no longer than `limit`.
    pub fn flush(&self, limit: Duration) {
        let logged = self.counts.logged.load(Ordering::Relaxed);
        let dropped = u64::try_from(self.queue.dropped_lines()).unwrap_or(u64::MAX);
        let queued = logged.saturating_sub(dropped);
        let done = self.counts.done.lock();
        let done = done.unwrap_or_else(PoisonError::into_inner);
        // The caller does not need to know whether the limit was reached.
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

/// The queue to the thread that writes. Sending to it never blocks.
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

/// Standard output, as used by the thread that writes.
struct Output {
    file: File,
    counts: Arc<Counts>,
}

impl Write for Output {
    /// Called once per line, with all of it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A line that cannot be written is lost and counted: there is no other place to report it.
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
