//! What was done so far, and the progress bar.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::cli::progress_bar::ProgressBar;
use crate::event_store::{GlobalPosition, StreamName};

/// A number that several tasks increase.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, number: usize) {
        self.0.fetch_add(number as u64, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts streams, each of them once.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<HashSet<StreamName>>);

impl Streams {
    /// Returns whether it is a new one.
    pub(super) fn add(&self, stream: &StreamName) -> bool {
        self.streams().insert(stream.clone())
    }

    pub(super) fn get(&self) -> u64 {
        self.streams().len() as u64
    }

    fn streams(&self) -> MutexGuard<'_, HashSet<StreamName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts what was done, and shows it.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
    head: Mutex<Option<GlobalPosition>>,
    /// Games that were copied or compared.
    pub(super) games: Counter,
    /// Events that were copied or compared.
    pub(super) events: Counter,
    /// Events that the target had already.
    pub(super) present: Counter,
    /// Games that were deleted in the source.
    pub(super) deleted: Streams,
    /// Games that the target had, and that were deleted there because they were deleted in the source.
    pub(super) erased: Counter,
    /// Games that have more events in the target.
    pub(super) longer: Counter,
    /// Games that differ.
    pub(super) differing: Streams,
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress {
            bar: ProgressBar::new(),
            began: Instant::now(),
            head: Mutex::new(None),
            games: Counter::default(),
            events: Counter::default(),
            present: Counter::default(),
            deleted: Streams::default(),
            erased: Counter::default(),
            longer: Counter::default(),
            differing: Streams::default(),
        }
    }

    /// The end that the bar shows the way to.
    pub(super) fn set_head(&self, head: Option<GlobalPosition>) {
        if let Ok(mut known) = self.head.lock() {
            *known = head;
        }
    }

    pub(super) fn reached(&self, position: GlobalPosition) {
        let head = self.head.lock().ok().and_then(|head| *head);
        if let Some(head) = head {
            self.bar.show_position(position, head);
        }
        self.bar.show_events(self.events.get(), self.rate());
    }

    /// Prints a line above the bar. A line that cannot be printed does not stop the copy.
    pub(super) fn say(&self, line: &str) {
        self.bar.print_line(line);
    }

    pub(super) fn hide(&self) {
        self.bar.hide();
    }

    pub(super) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    pub(super) fn rate(&self) -> u64 {
        (self.events.get() as f64 / self.seconds().max(1e-3)) as u64
    }
}
