//! Reads the bytes of a request body, and limits their number and the time.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Version};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::sleep;

use crate::http::problem::{Problem, ProblemType};
use crate::live::Live;

/// How long a client may take to send a body. Shorter than the time limit of a handler, so that a slow client is
/// not taken for a slow event store.
const BODY_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a client may take after the service was told to stop. Shorter than the time that handlers then have.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// The whole body. Nothing was done yet when this fails, so its problems never say that the outcome is unknown.
pub(super) async fn read_body(
    body: Body,
    version: Version,
    limit: usize,
    live: &Live,
) -> Result<Bytes, Problem> {
    tokio::select! {
        biased;
        read = all_frames(body, version, limit) => read,
        () = sleep(BODY_TIMEOUT) => Err(closing(too_slow(), version)),
        () = stop_deadline(live) => Err(closing(too_slow(), version)),
    }
}

async fn stop_deadline(live: &Live) {
    live.stopped().await;
    sleep(STOP_TIMEOUT).await;
}

/// A body nearly always comes in one frame, which is returned without a copy.
async fn all_frames(mut body: Body, version: Version, limit: usize) -> Result<Bytes, Problem> {
    let mut all = Bytes::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| closing(cut_off(), version))?;
        let Ok(data) = frame.into_data() else {
            // Trailers, which have no meaning here.
            continue;
        };
        if all.len() + data.len() > limit {
            return Err(payload_too_large(limit));
        }
        all = match all.is_empty() {
            true => data,
            false => {
                let mut longer = BytesMut::from(all);
                longer.extend_from_slice(&data);
                longer.freeze()
            }
        };
    }
    Ok(all)
}

pub(super) fn payload_too_large(limit: usize) -> Problem {
    Problem::new(
        ProblemType::PayloadTooLarge,
        format!("The request body may have at most {limit} bytes. Send a smaller body."),
    )
    .with("limit", limit)
}

fn cut_off() -> Problem {
    Problem::new(
        ProblemType::MalformedRequest,
        "The request body ended before it was complete, or a chunk of it is invalid. Nothing was done. Send the \
         whole body.",
    )
}

fn too_slow() -> Problem {
    Problem::new(
        ProblemType::RequestTimeout,
        "The request body was not complete in time. Nothing was done. Send the request again, with its whole \
         body.",
    )
}

/// Closes an HTTP/1 connection after the response: nobody knows where the next request begins. HTTP/2 ends the
/// stream instead, and has no `Connection` field (RFC 9113, 8.2.2).
fn closing(problem: Problem, version: Version) -> Problem {
    if version > Version::HTTP_11 {
        return problem;
    }
    problem.with_header(CONNECTION, HeaderValue::from_static("close"))
}
