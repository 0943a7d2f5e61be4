//! Answers reads of one stream and of `$all`, and subscriptions to `$all`, as the server does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::stream::{self, BoxStream, StreamExt};
use tonic::Status;
use tonic::codec::ProstCodec;
use tonic::server::Grpc;
use tower::service_fn;

use super::Shared;
use super::all::{Wanted, read_all};
use super::rpc::tombstoned;
use super::stream_metadata::Limits;
use super::subscriber::subscription;
use super::wire::{
    FromRevision, ReadContent, ReadCount, ReadFrom, ReadReq, ReadResp, StreamFrom,
    StreamIdentifier, StreamNotFound,
};

pub(super) type Answers = BoxStream<'static, Result<ReadResp, Status>>;

pub(super) async fn read(State(shared): State<Arc<Shared>>, request: Request) -> Response {
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
        shared.admit(request.metadata()).await?;
        let backwards = options.direction == 1;
        let answers: Answers = match (options.from, options.count) {
            (Some(ReadFrom::All(from)), Some(ReadCount::Subscription(_))) => {
                shared.admit_to_all()?;
                let filter = options.filter.unwrap_or_default();
                let window = filter.window;
                subscription(shared.clone(), from, Wanted::of(filter)?, window)
            }
            (Some(ReadFrom::All(from)), Some(ReadCount::Count(count))) => {
                shared.admit_to_all()?;
                let wanted = Wanted::of(options.filter.unwrap_or_default())?;
                let answers = read_all(&shared.log(), from, &wanted, backwards, count);
                in_time(shared, answers?).await
            }
            (Some(ReadFrom::Stream(from)), Some(ReadCount::Count(count))) => {
                in_time(shared, read_stream(shared, &from, backwards, count)?).await
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
        // An incomplete answer, as a proxy may deliver it.
        answers.truncate(answers.len() / 2);
    }
    shared.take_time().await;
    shared.wait_while_silent().await;
    stream::iter(answers)
        .map(|content| Ok(response(content)))
        .boxed()
}

pub(super) fn response(content: ReadContent) -> ReadResp {
    ReadResp {
        content: Some(content),
    }
}

/// A soft-deleted stream is not found. A stream whose events were all truncated is empty.
fn read_stream(
    shared: &Shared,
    from: &StreamFrom,
    backwards: bool,
    count: u64,
) -> Result<Vec<ReadContent>, Status> {
    let name = from.stream.clone().unwrap_or_default().name();
    let log = shared.log();
    let readable = log.progress().readable;
    if log.is_tombstoned_among(&name, readable) {
        return Err(tombstoned());
    }
    let places = log.stream_among(&name, readable);
    let limits = Limits::of(&log, &name, readable);
    let Some(last) = places.len().checked_sub(1) else {
        return Ok(vec![not_found(&name)]);
    };
    if limits.is_soft_deleted() {
        return Ok(vec![not_found(&name)]);
    }
    let first = index(limits.first_kept(&log, places));
    let start = match from.from {
        Some(FromRevision::Revision(revision)) => index(revision),
        Some(FromRevision::End(_)) => last,
        Some(FromRevision::Start(_)) | None => 0,
    };
    let event = |place: &usize| ReadContent::Event(log.events[*place].to_wire());
    let mut answers: Vec<_> = if backwards {
        let kept = places.get(first..=start.min(last)).unwrap_or_default();
        kept.iter().rev().take(index(count)).map(event).collect()
    } else {
        let kept = places.get(start.max(first)..).unwrap_or_default();
        kept.iter().take(index(count)).map(event).collect()
    };
    let next = last + 1;
    if !backwards && answers.is_empty() && start != next {
        answers.push(ReadContent::FirstStreamPosition(next as u64));
    }
    answers.push(ReadContent::LastStreamPosition(last as u64));
    Ok(answers)
}

fn not_found(stream: &str) -> ReadContent {
    ReadContent::StreamNotFound(StreamNotFound {
        stream: Some(StreamIdentifier::of(stream)),
    })
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
