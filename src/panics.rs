//! Turns a panic into an error, for work that must go on after it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

/// The message of a panic. The place of the panic is on standard error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it panicked: {0}")]
pub(crate) struct Panicked(String);

/// Runs the future. The caller must not rely on state that the future may have left half changed.
pub(crate) async fn caught<F: Future>(work: F) -> Result<F::Output, Panicked> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .map_err(|panic| Panicked::new(&*panic))
}

/// Like [`caught`], for work that blocks.
pub(crate) fn caught_blocking<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Panicked::new(&*panic))
}

impl Panicked {
    fn new(panic: &(dyn Any + Send)) -> Panicked {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Panicked(text.unwrap_or_else(|| "without a message".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error_with_its_message() {
        let number = 7;
        let of_a_future = caught(async { assert!(number == 8, "number {number}") }).await;
        assert_eq!(of_a_future, Err(Panicked("number 7".to_owned())));
        let of_a_call = caught_blocking(|| assert!(number == 8, "no"));
        assert_eq!(of_a_call, Err(Panicked("no".to_owned())));
        assert_eq!(caught(async { number }).await, Ok(7));
        assert_eq!(caught_blocking(|| number), Ok(7));
    }
}
