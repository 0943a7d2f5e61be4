//! The calls that the crate makes, answered as the server answers them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use futures_util::stream::{self, BoxStream, StreamExt};
use tonic::codec::ProstCodec;
use tonic::metadata::MetadataMap;
use tonic::server::Grpc;
use tonic::{Code, Status, Streaming};
use tower::service_fn;

use super::log::{Proposal, Refusal, Stored};
use super::subscriber::subscription;
use super::wire::{
    AllFrom, AppendContent, AppendReq, AppendResp, AppendResult, AppendSuccess, CurrentRevision,
    Empty, Expected, ExpectedRevision, FromPosition, FromRevision, ReadContent, ReadCount,
    ReadFrom, ReadReq, ReadResp, StreamFrom, StreamIdentifier, StreamNotFound,
    WrongExpectedVersion,
};
use super::wire_of_nodes::{ClusterInfo, EndPoint, MemberInfo, SupportedMethods};
use super::{Fault, Shared};

pub(super) type Answers = BoxStream<'static, Result<ReadResp, Status>>;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    const STREAMS: &str = "/event_store.client.streams.Streams";
    const FEATURES: &str = "/event_store.client.server_features.ServerFeatures";
    Router::new()
        .route(&format!("{STREAMS}/Append"), post(append))
        .route(&format!("{STREAMS}/Read"), post(read))
        .route(&format!("{FEATURES}/GetSupportedMethods"), post(features))
        .route("/event_store.client.gossip.Gossip/Read", post(gossip))
        .with_state(shared)
}

async fn features(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.counts.features.fetch_add(1, Ordering::Relaxed);
    let answer = service_fn(|_: tonic::Request<Empty>| async {
        Ok::<_, Status>(tonic::Response::new(SupportedMethods {
            server_version: "26.1.0".to_owned(),
        }))
    });
    let answer = Grpc::new(ProstCodec::default())
        .unary(answer, request)
        .await;
    answer.map(axum::body::Body::new)
}

async fn gossip(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.counts.gossips.fetch_add(1, Ordering::Relaxed);
    let answer = service_fn(|_: tonic::Request<Empty>| async {
        let members = shared.switches().members.clone();
        let members = members.into_iter().map(|(address, is_leader)| MemberInfo {
            state: if is_leader { 8 } else { 6 },
            is_alive: true,
            end_point: Some(EndPoint {
                address: address.ip().to_string(),
                port: address.port().into(),
            }),
            ..MemberInfo::default()
        });
        Ok::<_, Status>(tonic::Response::new(ClusterInfo {
            members: members.collect(),
        }))
    });
    let answer = Grpc::new(ProstCodec::default())
        .unary(answer, request)
        .await;
    answer.map(axum::body::Body::new)
}

async fn append(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = service_fn(|request: tonic::Request<Streaming<AppendReq>>| async {
        let _in_flight = shared.counts.enter();
        shared.counts.appends.fetch_add(1, Ordering::Relaxed);
        shared.admit(request.metadata())?;
        let answer = store(&shared, request.into_inner()).await?;
        shared.take_time().await;
        Ok::<_, Status>(tonic::Response::new(answer))
    });
    let codec = ProstCodec::default();
    let answer = Grpc::new(codec).client_streaming(answer, request).await;
    answer.map(axum::body::Body::new)
}

async fn store(shared: &Shared, mut messages: Streaming<AppendReq>) -> Result<AppendResp, Status> {
    let mut options = None;
    let mut proposals = Vec::new();
    while let Some(message) = messages.message().await? {
        match message.content {
            Some(AppendContent::Options(first)) => options = Some(first),
            Some(AppendContent::Proposed(event)) => proposals.extend(Proposal::from_wire(event)),
            None => {}
        }
    }
    // A request that was cut off looks like one that ended.
    let options = options.ok_or_else(|| Status::invalid_argument("no options"))?;
    let (Some(stream), Some(expected)) = (options.stream, options.expected) else {
        return Err(Status::invalid_argument("no stream or no revision"));
    };
    if proposals.is_empty() {
        return Err(Status::invalid_argument("no events"));
    }

    let fault = shared.switches().faults.pop_front();
    if fault == Some(Fault::LoseRequest) {
        shared.cut();
        std::future::pending::<()>().await;
    }
    let outcome = {
        let mut log = shared.log();
        let outcome = log.append(&stream.name(), expected, proposals);
        shared.written.send_replace(log.events.len());
        outcome
    };
    match fault {
        Some(Fault::LoseAnswer) => {
            shared.cut();
            std::future::pending::<()>().await;
        }
        Some(Fault::GiveUpWaiting) => {
            let text = "Operation timed out: Commit phase timeout.";
            return Err(Status::aborted(text));
        }
        Some(Fault::LoseRequest) | None => {}
    }
    let result = match outcome {
        Ok((revision, position)) => AppendResult::Success(AppendSuccess {
            current_revision: Some(revision),
            position: Some(position),
        }),
        Err(Refusal::Tombstoned) => return Err(tombstoned()),
        Err(Refusal::WrongVersion(actual)) => {
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
    };
    Ok(AppendResp {
        result: Some(result),
    })
}

fn tombstoned() -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("exception", "stream-deleted".parse().expect("ASCII"));
    Status::with_metadata(
        Code::FailedPrecondition,
        "Event stream is deleted.",
        metadata,
    )
}

async fn read(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let shared = &shared;
    let answer = service_fn(|request: tonic::Request<ReadReq>| async move {
        let in_flight = shared.counts.enter();
        let options = request.get_ref().options.clone().unwrap_or_default();
        let is_subscription = matches!(options.count, Some(ReadCount::Subscription(_)));
        if is_subscription {
            shared.counts.subscriptions.fetch_add(1, Ordering::Relaxed);
        } else {
            shared.counts.reads.fetch_add(1, Ordering::Relaxed);
        }
        shared.admit(request.metadata())?;
        let backwards = options.direction == 1;
        let answers: Answers = match (options.from, options.count) {
            (Some(ReadFrom::All(from)), Some(ReadCount::Subscription(_))) => {
                subscription(shared.clone(), from, options.filter.unwrap_or_default())
            }
            (Some(ReadFrom::Stream(from)), Some(ReadCount::Count(count))) => {
                in_time(shared, read_stream(shared, &from, backwards, count)?).await
            }
            (Some(ReadFrom::All(from)), Some(ReadCount::Count(count))) => {
                in_time(shared, read_all(shared, from, backwards, count)).await
            }
            (Some(ReadFrom::Stream(_)), Some(ReadCount::Subscription(_)))
            | (None, _)
            | (_, None) => {
                return Err(Status::unimplemented("the double does not do this"));
            }
        };
        drop(in_flight);
        Ok::<_, Status>(tonic::Response::new(answers))
    });
    let codec = ProstCodec::default();
    let answer = Grpc::new(codec).server_streaming(answer, request).await;
    answer.map(axum::body::Body::new)
}

async fn in_time(shared: &Shared, mut answers: Vec<ReadContent>) -> Answers {
    if std::mem::take(&mut shared.switches().cut_short) {
        // What a proxy leaves of an answer whose rest did not come.
        answers.truncate(answers.len() / 2);
    }
    shared.take_time().await;
    stream::iter(answers)
        .map(|content| Ok(response(content)))
        .boxed()
}

pub(super) fn response(content: ReadContent) -> ReadResp {
    ReadResp {
        content: Some(content),
    }
}

fn read_stream(
    shared: &Shared,
    from: &StreamFrom,
    backwards: bool,
    count: u64,
) -> Result<Vec<ReadContent>, Status> {
    let name = from.stream.clone().unwrap_or_default().name();
    let log = shared.log();
    if log.is_tombstoned(&name) {
        return Err(tombstoned());
    }
    let places = log.stream(&name);
    let Some(last) = places.len().checked_sub(1) else {
        return Ok(vec![ReadContent::StreamNotFound(StreamNotFound {
            stream: Some(StreamIdentifier::of(&name)),
        })]);
    };
    let start = match from.from {
        Some(FromRevision::Revision(revision)) => usize::try_from(revision).unwrap_or(usize::MAX),
        Some(FromRevision::End(_)) => last,
        Some(FromRevision::Start(_)) | None => 0,
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let event = |place: &usize| ReadContent::Event(log.events[*place].to_wire());
    let mut answers: Vec<_> = if backwards {
        let places = &places[..=start.min(last)];
        places.iter().rev().take(count).map(event).collect()
    } else {
        let places = places.get(start..).unwrap_or_default();
        places.iter().take(count).map(event).collect()
    };
    if start > last {
        answers.push(ReadContent::FirstStreamPosition(0));
    }
    answers.push(ReadContent::LastStreamPosition(last as u64));
    Ok(answers)
}

fn read_all(shared: &Shared, from: AllFrom, backwards: bool, count: u64) -> Vec<ReadContent> {
    let log = shared.log();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let event = |event: &Stored| ReadContent::Event(event.to_wire());
    let (before, after): (&[Stored], &[Stored]) = match from.from {
        Some(FromPosition::Position(at)) => {
            let split = log.events.partition_point(|event| event.position < at);
            log.events.split_at(split)
        }
        Some(FromPosition::End(_)) => (&log.events, &[]),
        Some(FromPosition::Start(_)) | None => (&[], &log.events),
    };
    if backwards {
        before.iter().rev().take(count).map(event).collect()
    } else {
        after.iter().take(count).map(event).collect()
    }
}
