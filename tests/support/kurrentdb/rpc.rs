//! Answers the crate's gRPC calls as the server does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use tonic::codec::ProstCodec;
use tonic::metadata::MetadataMap;
use tonic::server::Grpc;
use tonic::{Code, Status};
use tower::service_fn;

use super::Shared;
use super::appends::append;
use super::deletions::{delete, tombstone};
use super::reads::read;
use super::wire::Empty;
use super::wire_of_nodes::{ClusterInfo, EndPoint, MemberInfo, SupportedMethods};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    const STREAMS: &str = "/event_store.client.streams.Streams";
    const FEATURES: &str = "/event_store.client.server_features.ServerFeatures";
    Router::new()
        .route(&format!("{STREAMS}/Append"), post(append))
        .route(&format!("{STREAMS}/Read"), post(read))
        .route(&format!("{STREAMS}/Delete"), post(delete))
        .route(&format!("{STREAMS}/Tombstone"), post(tombstone))
        .route(&format!("{FEATURES}/GetSupportedMethods"), post(features))
        .route("/event_store.client.gossip.Gossip/Read", post(gossip))
        .with_state(shared)
}

async fn features(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.counts.features.fetch_add(1, Ordering::Relaxed);
    let answer = service_fn(|_: tonic::Request<Empty>| async {
        shared.wait_while_silent().await;
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
    let shared = &shared;
    shared.counts.gossips.fetch_add(1, Ordering::Relaxed);
    let answer = service_fn(|request: tonic::Request<Empty>| async move {
        shared.wait_while_silent().await;
        shared.admit_user(request.metadata())?;
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

pub(super) fn tombstoned() -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("exception", "stream-deleted".parse().expect("ASCII"));
    Status::with_metadata(
        Code::FailedPrecondition,
        "Event stream is deleted.",
        metadata,
    )
}
