//! Requests in flight: from their head until the body of the response is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::streams::OpenStream;

/// A request in flight, while this exists.
#[derive(Debug)]
pub(super) struct InFlight {
    /// For the shutdown, which waits until no request is in flight.
    _token: TaskTrackerToken,
    /// Only on an HTTP/2 connection.
    stream: Option<OpenStream>,
}

impl InFlight {
    pub(super) fn new(token: TaskTrackerToken, stream: Option<OpenStream>) -> InFlight {
        InFlight {
            _token: token,
            stream,
        }
    }

    /// The body of the response to this request.
    pub(super) fn respond(mut self, body: Body) -> ResponseBody {
        if let Some(stream) = &mut self.stream {
            stream.respond();
        }
        ResponseBody {
            body,
            in_flight: self,
        }
    }
}

/// A body whose request is in flight until the body is sent or dropped.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: Body,
    in_flight: InFlight,
}

impl hyper::body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(stream) = &self.in_flight.stream {
            stream.send();
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
