//! Runs a handler to its end, also when its client goes away.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future that continues in a task of its own when it is dropped before it is ready. The server
/// drops the future of a request when the connection breaks or an HTTP/2 stream is reset; a
/// command may have been stored by then, and has to be logged and counted.
///
/// It costs nothing while clients wait for their answers.
pub(super) struct ToTheEnd<F>(Option<Pin<Box<F>>>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static;

impl<F> ToTheEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    pub(super) fn new(future: F) -> ToTheEnd<F> {
        ToTheEnd(Some(Box::pin(future)))
    }
}

impl<F> Future for ToTheEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(future) = self.0.as_mut() else {
            // It was ready before, and is not polled again.
            return Poll::Pending;
        };
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<F> Drop for ToTheEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn drop(&mut self) {
        // Without a runtime the process is about to end.
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_future_that_is_dropped_continues_to_its_end() {
        let (begin, beginning) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let mut future = ToTheEnd::new(async move {
            beginning.await.expect("the test begins it");
            end.send("done").expect("the test waits for it");
        });
        assert!(poll!(&mut future).is_pending());
        drop(future);
        begin.send(()).expect("it waits");
        assert_eq!(ended.await, Ok("done"));
    }

    #[tokio::test]
    async fn a_future_that_is_awaited_runs_once() {
        assert_eq!(ToTheEnd::new(async { 7 }).await, 7);
    }
}
