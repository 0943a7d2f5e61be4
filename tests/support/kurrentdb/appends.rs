//! Answers append calls as the server does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::response::Response;
use tonic::codec::ProstCodec;
use tonic::server::Grpc;
use tonic::{Status, Streaming};
use tower::service_fn;

use super::append_rules::{Accepted, Refusal};
use super::rpc::tombstoned;
use super::stored::Proposal;
use super::wire::{
    AppendContent, AppendPosition, AppendReq, AppendResp, AppendResult, AppendSuccess,
    CurrentRevision, Empty, Expected, ExpectedRevision, Position, WrongExpectedVersion,
};
use super::{Fault, Shared};

/// An append request that was received completely.
struct Order {
    stream: String,
    expected: Expected,
    proposals: Vec<Proposal>,
}

pub(super) async fn append(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = service_fn(|request: tonic::Request<Streaming<AppendReq>>| async {
        let _in_flight = shared.counts.enter();
        shared.counts.appends.fetch_add(1, Ordering::Relaxed);
        shared.admit(request.metadata()).await?;
        let order = receive(request.into_inner()).await?;
        let answer = store(&shared, order).await?;
        shared.take_time().await;
        shared.wait_while_silent().await;
        Ok::<_, Status>(tonic::Response::new(answer))
    });
    let codec = ProstCodec::default();
    let answer = Grpc::new(codec).client_streaming(answer, request).await;
    answer.map(axum::body::Body::new)
}

async fn receive(mut messages: Streaming<AppendReq>) -> Result<Order, Status> {
    let mut options = None;
    let mut proposals = Vec::new();
    while let Some(message) = messages.message().await? {
        match message.content {
            Some(AppendContent::Options(first)) => options = Some(first),
            Some(AppendContent::Proposed(event)) => proposals.extend(Proposal::from_wire(event)),
            None => {}
        }
    }
    // A request whose connection was cut cannot be distinguished from a complete one.
    let options = options.ok_or_else(|| Status::invalid_argument("no options"))?;
    let (Some(stream), Some(expected)) = (options.stream, options.expected) else {
        return Err(Status::invalid_argument("no stream or no revision"));
    };
    if proposals.is_empty() {
        return Err(Status::invalid_argument("no events"));
    }
    Ok(Order {
        stream: stream.name(),
        expected,
        proposals,
    })
}

async fn store(shared: &Arc<Shared>, order: Order) -> Result<AppendResp, Status> {
    let expected = order.expected;
    let fault = shared.switches().faults.pop_front();
    if fault == Some(Fault::LoseRequest) {
        shared.cut();
        std::future::pending::<()>().await;
    }
    let mut progress = shared.progress.subscribe();
    let (outcome, era, written) = {
        let mut log = shared.log();
        let outcome = log.append(&order.stream, expected, order.proposals);
        shared.written(&mut log);
        (outcome, log.progress().era, log.events.len())
    };
    match fault {
        Some(Fault::LoseAnswer) => {
            shared.cut();
            std::future::pending::<()>().await;
        }
        Some(Fault::GiveUpWaiting) => return Err(commit_timeout()),
        Some(Fault::LoseRequest) | None => {}
    }
    let result = match outcome {
        Ok(Accepted::Written(revision, position)) => {
            let committed = progress.wait_for(|now| now.era != era || now.committed >= written);
            // It cannot fail: `shared` has the sender.
            let _ = committed.await;
            success(revision, Some(position))
        }
        Ok(Accepted::Repeated(revision, position)) => success(revision, position),
        Ok(Accepted::NotCommitted) => {
            let timeout = shared.switches().commit_timeout;
            shared.counts.dropped.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(timeout).await;
            return Err(commit_timeout());
        }
        Err(Refusal::Tombstoned) => return Err(tombstoned()),
        Err(Refusal::WrongVersion(actual)) => conflict(expected, actual),
    };
    Ok(AppendResp {
        result: Some(result),
    })
}

fn commit_timeout() -> Status {
    Status::aborted("Operation timed out: Commit phase timeout.")
}

fn success(revision: u64, position: Option<Position>) -> AppendResult {
    AppendResult::Success(AppendSuccess {
        current_revision: Some(revision),
        position: Some(position.map_or(
            AppendPosition::NoPosition(Empty {}),
            AppendPosition::Position,
        )),
    })
}

fn conflict(expected: Expected, actual: Option<u64>) -> AppendResult {
    AppendResult::WrongExpectedVersion(WrongExpectedVersion {
        current: Some(actual.map_or(
            CurrentRevision::NoStream(Empty {}),
            CurrentRevision::Revision,
        )),
        expected: Some(match expected {
            Expected::Revision(revision) => ExpectedRevision::Revision(revision),
            Expected::NoStream(_) => ExpectedRevision::NoStream(Empty {}),
            Expected::Any(_) => ExpectedRevision::Any(Empty {}),
            Expected::StreamExists(_) => ExpectedRevision::StreamExists(Empty {}),
        }),
    })
}
