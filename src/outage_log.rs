//! Logs an outage in a few lines, even if many calls fail.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time between two log lines about the same outage.
const REPORTS: Duration = Duration::from_secs(60);

/// An outage is over when a call succeeds and none has failed for this time. A success alone is not
/// enough: some calls succeed during an outage, such as reads while a disk is full.
const QUIET: Duration = Duration::from_secs(1);

/// Writes an ERROR line when an outage begins, one per minute while it continues, and an INFO line
/// with the number of failed calls when it is over.
#[derive(Debug)]
pub(crate) struct OutageLog {
    /// The name of what fails, for the log.
    what: &'static str,
    outage: Mutex<Option<Outage>>,
    /// Whether there is an outage. With it, calls that succeed need not take the lock.
    is_on: AtomicBool,
}

#[derive(Debug)]
struct Outage {
    began: Instant,
    reported: Instant,
    latest_failure: Instant,
    failures: u64,
}

impl OutageLog {
    /// `what` names in the log what fails, such as "the event store".
    pub(crate) fn new(what: &'static str) -> OutageLog {
        OutageLog {
            what,
            outage: Mutex::default(),
            is_on: AtomicBool::new(false),
        }
    }

    /// No code panics while it holds this lock, so a poisoned lock can be used.
    fn outage(&self) -> MutexGuard<'_, Option<Outage>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a call failed.
    pub(crate) fn failed(&self, error: &dyn Display) {
        let what = self.what;
        let now = Instant::now();
        let mut current = self.outage();
        let Some(outage) = current.as_mut() else {
            tracing::error!(%error, "{what} fails: {error}");
            *current = Some(Outage {
                began: now,
                reported: now,
                latest_failure: now,
                failures: 1,
            });
            self.is_on.store(true, Ordering::Relaxed);
            return;
        };
        outage.failures += 1;
        outage.latest_failure = now;
        if now - outage.reported >= REPORTS {
            outage.reported = now;
            let failures = outage.failures;
            let seconds = (now - outage.began).as_secs();
            tracing::error!(
                %error, failures, seconds,
                "{what} has been failing for {seconds} s, in {failures} calls: {error}"
            );
        }
    }

    /// Records that a call succeeded.
    pub(crate) fn succeeded(&self) {
        if !self.is_on.load(Ordering::Relaxed) {
            return;
        }
        let mut current = self.outage();
        let is_over = |outage: &mut Outage| outage.latest_failure.elapsed() >= QUIET;
        let Some(outage) = current.take_if(is_over) else {
            return;
        };
        self.is_on.store(false, Ordering::Relaxed);
        let what = self.what;
        let failures = outage.failures;
        let lasted = outage.latest_failure - outage.began;
        let milliseconds = u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            failures,
            milliseconds,
            "{what} works again: {failures} calls failed within {milliseconds} ms"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use tokio::time::advance;
    use tracing::subscriber::set_default;

    use super::*;

    /// Collects what is logged.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panics").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn all(&self) -> Vec<String> {
            let bytes = self.0.lock().expect("no panics");
            let text = String::from_utf8_lossy(&bytes);
            text.lines().map(str::to_owned).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_a_line_at_its_start_one_a_minute_and_one_at_its_end() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = set_default(subscriber);
        let log = OutageLog::new("the store");
        log.succeeded();
        // A failure each second, for a little more than two minutes. Some calls succeed.
        for _ in 0..=125 {
            log.failed(&"refused");
            log.succeeded();
            advance(Duration::from_secs(1) - Duration::from_millis(1)).await;
            log.succeeded();
            advance(Duration::from_millis(1)).await;
            log.failed(&"refused");
        }
        advance(QUIET).await;
        for _ in 0..3 {
            log.succeeded();
        }
        let lines = lines.all();
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[0].contains("ERROR") && lines[0].contains("the store fails: refused"));
        assert!(
            lines[1].contains("ERROR") && lines[1].contains("for 60 s, in 120 calls"),
            "{}",
            lines[1]
        );
        assert!(
            lines[2].contains("ERROR") && lines[2].contains("for 120 s"),
            "{}",
            lines[2]
        );
        assert!(
            lines[3].contains("INFO") && lines[3].contains("252 calls failed"),
            "{}",
            lines[3]
        );
    }
}
