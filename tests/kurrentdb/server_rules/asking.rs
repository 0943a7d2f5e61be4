//! Helpers to query a node with the crate's client, without our adapter.

use kurrentdb::{
    AppendToStreamOptions, Client, Error, EventData, Position, ReadAllOptions, ReadEvent,
    ReadStreamOptions, ResolvedEvent, StreamPosition, StreamState, SubscribeToAllOptions,
    Subscription, SubscriptionEvent, SubscriptionFilter, WriteResult,
};
use uuid::Uuid;

use crate::double::Double;
use crate::support::soon;

pub(super) const STREAM: &str = "game-1";

pub(super) fn client_of(double: &Double) -> Client {
    client(&format!(
        "{}&discoveryInterval=1",
        double.connection_string()
    ))
}

pub(super) fn client(connection: &str) -> Client {
    let settings = connection.parse().expect("a good connection string");
    Client::new(settings).expect("a client connects later")
}

pub(super) async fn append(
    client: &Client,
    expected: StreamState,
    ids: &[Uuid],
) -> Result<WriteResult, Error> {
    let events = ids
        .iter()
        .map(|id| EventData::binary("Happened", "{}".into()).id(*id));
    let options = AppendToStreamOptions::default().stream_state(expected);
    soon(client.append_to_stream(STREAM, &options, events.collect::<Vec<_>>())).await
}

/// Starts a stream of three events. Returns their ids and the position of the last one.
pub(super) async fn three_events(client: &Client) -> ([Uuid; 3], Position) {
    let ids = new_ids();
    let written = append(client, StreamState::NoStream, &ids).await;
    (ids, written.expect("a new stream").position)
}

pub(super) fn new_ids<const COUNT: usize>() -> [Uuid; COUNT] {
    std::array::from_fn(|_| Uuid::now_v7())
}

/// The result of a read of a stream: the revisions of its events, and its last revision.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) revisions: Vec<u64>,
    pub(super) last: Option<u64>,
}

pub(super) async fn read(client: &Client) -> Result<Read, Error> {
    soon(async {
        let options = ReadStreamOptions::default().position(StreamPosition::Start);
        let mut answer = client.read_stream(STREAM, &options).await?;
        let (mut revisions, mut last) = (Vec::new(), None);
        while let Some(message) = answer.next_read_event().await? {
            match message {
                ReadEvent::Event(event) => revisions.push(event.get_original_event().revision),
                ReadEvent::LastStreamPosition(revision) => last = Some(revision),
                ReadEvent::FirstStreamPosition(_) | ReadEvent::LastAllStreamPosition(_) => {}
            }
        }
        Ok(Read { revisions, last })
    })
    .await
}

/// The stored metadata of the stream.
pub(super) async fn metadata(client: &Client) -> String {
    let options = ReadStreamOptions::default().position(StreamPosition::Start);
    let stream = format!("$${STREAM}");
    let mut answer = soon(client.read_stream(stream, &options))
        .await
        .expect("it answers");
    let event = soon(answer.next()).await.expect("it has metadata");
    let event = event.expect("it has metadata");
    String::from_utf8_lossy(&event.get_original_event().data).into_owned()
}

/// The games and their metadata streams.
pub(super) fn games() -> SubscriptionFilter {
    let filter = SubscriptionFilter::on_stream_name();
    filter.add_prefix("game-").add_prefix("$$game-")
}

/// Reads the games' events of `$all` forwards from a position.
pub(super) async fn read_all(
    client: &Client,
    from: StreamPosition<Position>,
    count: usize,
) -> Result<Vec<ResolvedEvent>, Error> {
    soon(async {
        let options = ReadAllOptions::default()
            .forwards()
            .position(from)
            .max_count(count)
            .filter(games());
        let mut answer = client.read_all(&options).await?;
        let mut events = Vec::new();
        while let Some(event) = answer.next().await? {
            events.push(event);
        }
        Ok(events)
    })
    .await
}

/// The stream, revision and type of each event.
pub(super) fn described(events: &[ResolvedEvent]) -> Vec<(&str, u64, &str)> {
    events
        .iter()
        .map(|event| {
            let event = event.get_original_event();
            (event.stream_id(), event.revision, event.event_type.as_str())
        })
        .collect()
}

pub(super) async fn subscribe(client: &Client, from: StreamPosition<Position>) -> Subscription {
    let options = SubscribeToAllOptions::default()
        .position(from)
        .filter(games());
    client.subscribe_to_all(&options).await
}

pub(super) async fn next(subscription: &mut Subscription) -> Result<SubscriptionEvent, Error> {
    soon(subscription.next_subscription_event()).await
}

/// The next event. Skips other messages.
pub(super) async fn next_event(subscription: &mut Subscription) -> ResolvedEvent {
    soon(subscription.next()).await.expect("it goes on")
}

pub(super) async fn until_caught_up(subscription: &mut Subscription) -> Vec<ResolvedEvent> {
    let mut events = Vec::new();
    loop {
        match next(subscription).await.expect("it goes on") {
            SubscriptionEvent::EventAppeared(event) => events.push(event),
            SubscriptionEvent::CaughtUp(_) => return events,
            SubscriptionEvent::Confirmed(_)
            | SubscriptionEvent::Checkpoint(_)
            | SubscriptionEvent::FirstStreamPosition(_)
            | SubscriptionEvent::LastStreamPosition(_)
            | SubscriptionEvent::LastAllPosition(_)
            | SubscriptionEvent::FellBehind(_) => {}
        }
    }
}
