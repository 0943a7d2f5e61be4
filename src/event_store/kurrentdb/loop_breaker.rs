//! Ends an endless loop in the crate, which begins when the server ends a subscription without
//! an error.
//!
//! The crate then loops without yielding: the worker thread is blocked for ever, and no timeout
//! can stop it (`Subscription::next_subscription_event` in `commands.rs` of version 1.2.0:
//! `Ok(None)` puts the ended stream back). The server never ends a subscription in this way, but
//! a proxy or a reset with `NO_ERROR` can.
//!
//! Each turn of the loop only logs one warning, so that is the place to leave it. While the
//! crate is polled, a `tracing` subscriber of ours receives its log. It forwards everything to
//! the previous subscriber, and unwinds the stack at that warning.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use tracing::instrument::WithSubscriber;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher};

/// The call panicked, or was ended because it would have looped for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallEnded;

/// Polls calls of the crate in such a way that the endless loop can be ended.
pub(super) struct LoopBreaker(Dispatch);

impl LoopBreaker {
    /// Make only one per subscription: each one makes `tracing` evaluate every log statement of
    /// the program again.
    pub(super) fn new() -> LoopBreaker {
        LoopBreaker(Dispatch::new(Breaker {
            previous: dispatcher::get_default(Clone::clone),
        }))
    }

    /// Runs the call. Returns [`CallEnded`] when the stream ended without an error.
    pub(super) async fn guard<T>(&self, call: impl Future<Output = T>) -> Result<T, CallEnded> {
        let guarded = AssertUnwindSafe(call).catch_unwind();
        let outcome = guarded.with_subscriber(self.0.clone()).await;
        outcome.map_err(|_| CallEnded)
    }
}

struct Breaker {
    previous: Dispatch,
}

/// Whether this is the warning of the endless loop; the module logs no other warning.
fn is_warning_of_the_loop(metadata: &Metadata<'_>) -> bool {
    metadata.is_event()
        && *metadata.level() == Level::WARN
        && metadata.target() == "kurrentdb::commands"
}

impl Subscriber for Breaker {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_warning_of_the_loop(metadata) {
            Interest::always()
        } else {
            self.previous.register_callsite(metadata)
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_warning_of_the_loop(metadata) || self.previous.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::current().max(LevelFilter::WARN))
    }

    fn event(&self, event: &Event<'_>) {
        if is_warning_of_the_loop(event.metadata()) {
            // Unwinds without calling the panic hook, because this is no error to report.
            resume_unwind(Box::new(CallEnded));
        }
        self.previous.event(event);
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.previous.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.previous.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.previous.record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.previous.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.previous.exit(span);
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.previous.clone_span(span)
    }

    fn try_close(&self, span: Id) -> bool {
        self.previous.try_close(span)
    }
}
