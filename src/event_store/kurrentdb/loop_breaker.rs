//! A way out of the crate's subscription when the server's side of it ends without an error.
//!
//! The crate then loops for ever without yielding: the worker thread is lost, and no timeout
//! fires on it (`Subscription::next_subscription_event` in `commands.rs` of version 1.2.0:
//! `Ok(None)` puts the ended stream back). The server never ends a subscription so, but a
//! proxy may, or a reset with `NO_ERROR`. The only thing that each turn does is to log one
//! warning, so the way out is there: while the crate is polled, a subscriber of ours hears
//! its log, passes everything on to the one that was there, and unwinds out of that warning.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use tracing::instrument::WithSubscriber;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher};

/// The call panicked, or would have had no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BrokenOff;

/// Polls the crate's calls so that they can be broken off.
pub(super) struct LoopBreaker(Dispatch);

impl LoopBreaker {
    /// Once per subscription: each makes `tracing` ask about every place that logs.
    pub(super) fn new() -> LoopBreaker {
        LoopBreaker(Dispatch::new(Breaker {
            passed_on_to: dispatcher::get_default(Clone::clone),
        }))
    }

    /// Lets the call run, out of which a clean end of the stream comes as [`BrokenOff`].
    pub(super) async fn guard<T>(&self, call: impl Future<Output = T>) -> Result<T, BrokenOff> {
        let guarded = AssertUnwindSafe(call).catch_unwind();
        let outcome = guarded.with_subscriber(self.0.clone()).await;
        outcome.map_err(|_| BrokenOff)
    }
}

struct Breaker {
    passed_on_to: Dispatch,
}

/// The module logs nothing else as a warning.
fn tells_of_a_clean_end(metadata: &Metadata<'_>) -> bool {
    metadata.is_event()
        && *metadata.level() == Level::WARN
        && metadata.target() == "kurrentdb::commands"
}

impl Subscriber for Breaker {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if tells_of_a_clean_end(metadata) {
            Interest::always()
        } else {
            self.passed_on_to.register_callsite(metadata)
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        tells_of_a_clean_end(metadata) || self.passed_on_to.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::current().max(LevelFilter::WARN))
    }

    fn event(&self, event: &Event<'_>) {
        if tells_of_a_clean_end(event.metadata()) {
            // Unwinds without the panic hook: nothing went wrong that a person should read.
            resume_unwind(Box::new(BrokenOff));
        }
        self.passed_on_to.event(event);
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.passed_on_to.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.passed_on_to.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.passed_on_to.record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.passed_on_to.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.passed_on_to.exit(span);
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.passed_on_to.clone_span(span)
    }

    fn try_close(&self, span: Id) -> bool {
        self.passed_on_to.try_close(span)
    }
}
