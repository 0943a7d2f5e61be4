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
pub(crate) struct ToTheEnd<T: Send + 'static> {
    /// `None` once it was ready.
    future: Option<Running<T>>,
    continues: bool,
}

type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<T: Send + 'static> ToTheEnd<T> {
    /// A future that ends when it is dropped, if it does not continue.
    pub(super) fn new(
        future: impl Future<Output = T> + Send + 'static,
        continues: bool,
    ) -> ToTheEnd<T> {
        ToTheEnd {
            future: Some(Box::pin(future)),
            continues,
        }
    }
}

impl<T: Send + 'static> Future for ToTheEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(future) = self.future.as_mut() else {
            // It was ready before, and is not polled again.
            return Poll::Pending;
        };
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        // Without a runtime the process is about to end.
        if let (Some(future), Ok(runtime)) = (self.future.take(), Handle::try_current())
            && self.continues
        {
            runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use tokio::sync::oneshot;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    #[tokio::test]
    async fn a_future_that_is_dropped_continues_to_its_end() {
        let (begin, beginning) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let future = async move {
            beginning.await.expect("the test begins it");
            end.send("done").expect("the test waits for it");
        };
        let mut future = ToTheEnd::new(future, true);
        assert!(poll!(&mut future).is_pending());
        drop(future);
        begin.send(()).expect("it waits");
        assert_eq!(ended.await, Ok("done"));
    }

    #[tokio::test]
    async fn a_future_that_does_not_continue_ends_when_it_is_dropped() {
        let (end, mut ended) = oneshot::channel::<()>();
        let mut future = ToTheEnd::new(
            async move {
                std::future::pending::<()>().await;
                drop(end);
            },
            false,
        );
        assert!(poll!(&mut future).is_pending());
        drop(future);
        assert_eq!(ended.try_recv(), Err(TryRecvError::Closed));
    }

    #[tokio::test]
    async fn a_future_that_is_awaited_runs_once() {
        assert_eq!(ToTheEnd::new(async { 7 }, true).await, 7);
    }
}
