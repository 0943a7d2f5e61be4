//! Deletes and tombstones streams, for clients and for tests.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use tonic::codec::ProstCodec;
use tonic::server::Grpc;
use tonic::{Code, Status};
use tower::service_fn;

use super::log::Log;
use super::rpc::tombstoned;
use super::stream_metadata::{metadata_event, metadata_stream};
use super::wire::{DeleteReq, DeleteResp, Empty, Expected, Position};
use super::{Double, Shared};

impl Double {
    /// Soft-deletes a stream, as the client's `delete_stream` does.
    pub fn delete(&self, stream: &str) {
        self.write(|log| log.delete(stream));
    }

    /// Tombstones a stream: deletes it for ever, as the client's `tombstone_stream` does.
    pub fn tombstone(&self, stream: &str) {
        self.write(|log| log.tombstone(stream));
    }

    /// Writes a stream's metadata, such as `{"$tb":2}`, `{"$maxCount":1}` or `{"$maxAge":60}`.
    pub fn set_metadata(&self, stream: &str, json: &str) {
        let event = metadata_event(json);
        self.store(
            &metadata_stream(stream),
            Expected::Any(Empty {}),
            vec![event],
        );
    }

    /// Moves the node's clock forward, so that events become older than their `$maxAge`.
    pub fn pass_time(&self, time: Duration) {
        self.shared.log().pass_time(time);
    }

    /// Removes deleted and truncated events from `$all`.
    pub fn scavenge(&self) {
        self.shared.log().scavenge();
    }

    fn write(&self, change: impl FnOnce(&mut Log) -> Position) {
        let mut log = self.shared.log();
        change(&mut log);
        self.shared.written(&mut log);
    }
}

pub(super) async fn delete(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answer(&shared, request, Log::delete).await
}

pub(super) async fn tombstone(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answer(&shared, request, Log::tombstone).await
}

async fn answer(
    shared: &Arc<Shared>,
    request: Request,
    change: fn(&mut Log, &str) -> Position,
) -> Response {
    let answer = service_fn(|request: tonic::Request<DeleteReq>| async {
        shared.admit(request.metadata()).await?;
        let options = request.into_inner().options.unwrap_or_default();
        let stream = options.stream.unwrap_or_default().name();
        let position = {
            let mut log = shared.log();
            check(&log, &stream, options.expected)?;
            let position = change(&mut log, &stream);
            shared.written(&mut log);
            position
        };
        Ok::<_, Status>(tonic::Response::new(DeleteResp {
            position: Some(position),
        }))
    });
    let codec = ProstCodec::default();
    let answer = Grpc::new(codec).unary(answer, request).await;
    answer.map(axum::body::Body::new)
}

fn check(log: &Log, stream: &str, expected: Option<Expected>) -> Result<(), Status> {
    if log.is_tombstoned_among(stream, log.events.len()) {
        return Err(tombstoned());
    }
    let last = (log.stream(stream).len() as u64).checked_sub(1);
    let is_expected = match expected {
        Some(Expected::Revision(revision)) => last == Some(revision),
        Some(Expected::NoStream(_)) => last.is_none(),
        Some(Expected::StreamExists(_)) => last.is_some(),
        Some(Expected::Any(_)) | None => true,
    };
    if is_expected {
        return Ok(());
    }
    let text = "The stream is not at the expected revision.";
    Err(Status::new(Code::FailedPrecondition, text))
}
