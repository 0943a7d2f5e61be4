//! The subscription: the events of all streams with a prefix. It survives lost connections.
//!
//! The crate can resubscribe by itself, but it does so without a pause, from `End` again if it
//! began there, and only for a second. So here, a lost connection ends the crate's subscription
//! and its client. After a pause, a new client subscribes from a position at which no event can
//! be missed. A subscription has its own client, so that it does not take one of the permits for
//! calls.
//!
//! When a server shuts down or a proxy drops a connection, the client may not notice. So when the
//! server is silent, the connection is tested in two ways: by a call on the same connection, and
//! by a read of the next event with the shared client. If there is a next event, the subscription
//! must deliver it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kurrentdb::{
    Client, Position, StreamPosition, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::access::Call;
use super::client::Supervisor;
use super::connect::{OwnedClient, connect, probe};
use super::error::Failure;
use super::loop_breaker::LoopBreaker;
use super::outage::{OncePerMinute, OutageReporter};
use super::place::Place;
use super::position::position;
use super::read;
use super::read::{EventKind, METADATA_OF, Page};
use crate::backoff::Backoff;
use crate::event_store::{EventStoreError, GlobalPosition, Subscription, SubscriptionMessage};

/// The pauses between attempts to reach a database that does not answer.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many events the server checks between two checkpoints. After a lost connection, it checks
/// at most twice as many again. Its default is 32, which means a message for every 32 events in
/// other streams.
const WINDOW: u32 = 1000;

/// How many messages may be received before the reader takes them.
const RECEIVED: usize = 256;

pub(super) fn subscribe(
    supervisor: Arc<Supervisor>,
    prefix: &'static str,
    after: Option<GlobalPosition>,
) -> Subscription {
    let reader = Reader {
        outage: supervisor.outages().reporter(),
        supervisor,
        prefix,
        place: Place::after(after),
        client: None,
        open: None,
        pause: None,
        pauses: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        is_live: false,
        invalid_position: OncePerMinute::default(),
    };
    stream::unfold(reader, |mut reader| async move {
        let message = reader.next().await;
        Some((message, reader))
    })
    .boxed()
}

/// A subscription of ours. It outlives its connections and the crate's subscriptions.
struct Reader {
    supervisor: Arc<Supervisor>,
    prefix: &'static str,
    place: Place,
    /// Kept for the next attempt when the server refused only the subscription.
    client: Option<OwnedClient>,
    open: Option<Open>,
    /// How long to wait before the next attempt to subscribe.
    pause: Option<Duration>,
    pauses: Backoff,
    /// Whether the subscription has worked since its connection was last lost.
    is_live: bool,
    outage: OutageReporter,
    invalid_position: OncePerMinute,
}

/// A subscription of the crate. It runs in a task on its client's runtime, because the call for
/// the next message loses its position when the future is dropped.
struct Open {
    messages: mpsc::Receiver<Result<SubscriptionEvent, Failure>>,
    is_confirmed: bool,
}

/// Why a subscription ended.
enum Loss {
    /// The connection or the node failed.
    Connection(String),
    /// No record begins at the position to resume after.
    InvalidPosition,
    /// The user may not subscribe.
    Denied,
}

impl From<Failure> for Loss {
    fn from(failure: Failure) -> Loss {
        match failure {
            Failure::Denied => Loss::Denied,
            Failure::InvalidArgument(_) => Loss::InvalidPosition,
            Failure::NotDone(reason)
            | Failure::ClientDead(reason)
            | Failure::Unknown(reason)
            | Failure::GivenUp(reason)
            | Failure::Refused(reason) => Loss::Connection(reason),
            failure @ (Failure::Missing | Failure::Deleted | Failure::Conflict(_)) => {
                Loss::Connection(format!("unexpected answer: {failure:?}"))
            }
        }
    }
}

impl Reader {
    async fn next(&mut self) -> SubscriptionMessage {
        loop {
            if let Some(pause) = self.pause.take() {
                tokio::time::sleep(pause).await;
            }
            let message = match self.step().await {
                Ok(message) => message,
                Err(loss) => self.lost(loss),
            };
            if let Some(message) = message {
                return message;
            }
        }
    }

    /// Handles one message from the server. `None` if there is nothing to deliver.
    async fn step(&mut self) -> Result<Option<SubscriptionMessage>, Loss> {
        if self.open.is_none() {
            self.open = Some(self.open().await?);
        }
        let connection = self.supervisor.connection();
        let open = self
            .open
            .as_mut()
            .expect("the subscription was just opened");
        let limit = match open.is_confirmed {
            true => connection.silence_limit(),
            false => connection.call_timeout(),
        };
        match timeout(limit, open.messages.recv()).await {
            Ok(message) => self.handle(message),
            Err(_) if open.is_confirmed => self.test_silence().await,
            Err(_) => Err(Loss::Connection(format!("no answer within {limit:?}"))),
        }
    }

    fn handle(
        &mut self,
        message: Option<Result<SubscriptionEvent, Failure>>,
    ) -> Result<Option<SubscriptionMessage>, Loss> {
        let ended = || Loss::Connection("the server ended the subscription".to_owned());
        match message.ok_or_else(ended)?? {
            SubscriptionEvent::EventAppeared(event) => {
                self.works();
                let at = event.event.as_ref().map(|event| position(event.position));
                if !at.is_some_and(|at| self.place.saw_event(at)) {
                    return Ok(None);
                }
                Ok(match read::classify(event) {
                    EventKind::User(event) => Some(SubscriptionMessage::Recorded(event)),
                    EventKind::Truncated(stream) => {
                        Some(SubscriptionMessage::StreamTruncated(stream))
                    }
                    EventKind::Other => None,
                })
            }
            SubscriptionEvent::Checkpoint(at) => {
                self.place.saw_checkpoint(position(at));
                Ok(None)
            }
            SubscriptionEvent::CaughtUp(_) => {
                self.works();
                Ok(Some(SubscriptionMessage::CaughtUp))
            }
            SubscriptionEvent::Confirmed(_) => {
                if let Some(open) = &mut self.open {
                    open.is_confirmed = true;
                }
                Ok(None)
            }
            SubscriptionEvent::FirstStreamPosition(_)
            | SubscriptionEvent::LastStreamPosition(_)
            | SubscriptionEvent::LastAllPosition(_)
            | SubscriptionEvent::FellBehind(_) => Ok(None),
        }
    }

    /// Tests the connection when the server is silent. The connection must answer a call. If
    /// there is a next event, the subscription must deliver it within the timeout of a call. If
    /// there is none, the subscription works and has caught up.
    async fn test_silence(&mut self) -> Result<Option<SubscriptionMessage>, Loss> {
        let connection = self.supervisor.connection().clone();
        let limit = connection.call_timeout();
        let (Some(open), Some(client)) = (&mut self.open, &self.client) else {
            return Ok(None);
        };
        let messages = &mut open.messages;
        let (prefix, after) = (self.prefix, self.place.resume_after());
        let read = move |client, connection| read::all(client, connection, prefix, after, 1);
        let next = read::attempt(&self.supervisor, Call::ReadAll, limit, read);
        let own = timeout(limit, client.run(|client| probe(client, connection)));
        let next = tokio::select! {
            message = messages.recv() => return self.handle(message),
            (own, next) = async { tokio::join!(own, next) } => {
                own.unwrap_or_else(|_| Err(Failure::Unknown(format!("no answer within {limit:?}"))))?;
                next
            }
        };
        let is_due = match next {
            Ok(Page::Events(events)) => !events.is_empty(),
            Ok(Page::NothingFrom(_) | Page::BeyondHead(_)) => false,
            Ok(Page::NoEventAt(_)) => {
                self.place.forget_checkpoints();
                false
            }
            Err(EventStoreError::AccessDenied { .. }) => return Err(Loss::Denied),
            Err(error) => return Err(Loss::Connection(error.to_string())),
        };
        if !is_due {
            self.works();
            return Ok(Some(SubscriptionMessage::CaughtUp));
        }
        match timeout(limit, messages.recv()).await {
            Ok(message) => self.handle(message),
            Err(_) => Err(Loss::Connection(format!(
                "a stored event was not delivered within {limit:?}"
            ))),
        }
    }

    async fn open(&mut self) -> Result<Open, Loss> {
        let client = match self.client.take() {
            Some(client) => client,
            None => {
                let connected = connect(self.supervisor.connection()).await;
                connected.map_err(Loss::Connection)?.0
            }
        };
        let start = self
            .place
            .resume_after()
            .map_or(StreamPosition::Start, |after| {
                StreamPosition::Position(Position {
                    commit: after.commit(),
                    prepare: after.prepare(),
                })
            });
        let filter = SubscriptionFilter::on_stream_name()
            .add_prefix(self.prefix)
            .add_prefix(format!("{METADATA_OF}{}", self.prefix))
            .max(WINDOW);
        let options = SubscribeToAllOptions::default()
            .position(start)
            .filter(filter)
            .requires_leader(true);
        let options = self
            .supervisor
            .connection()
            .authenticate(options, SubscribeToAllOptions::authenticated);
        let (sender, messages) = mpsc::channel(RECEIVED);
        // Made here and not in the spawned task, so that it forwards to this task's subscriber.
        let breaker = LoopBreaker::new();
        client.spawn(|client| receive(client, options, breaker, sender));
        self.client = Some(client);
        Ok(Open {
            messages,
            is_confirmed: false,
        })
    }

    fn works(&mut self) {
        self.is_live = true;
        self.pauses.reset();
        self.outage.works();
    }

    /// Prepares the next attempt. Returns the message to deliver, at most one per outage.
    fn lost(&mut self, loss: Loss) -> Option<SubscriptionMessage> {
        self.open = None;
        let was_live = std::mem::take(&mut self.is_live);
        let mut message = was_live.then_some(SubscriptionMessage::Disconnected);
        self.pause = Some(self.pauses.next_pause());
        match loss {
            Loss::Connection(reason) => {
                self.client = None;
                self.outage.failed(&reason);
            }
            Loss::Denied => {
                self.supervisor.denied(Call::SubscribeToAll);
            }
            Loss::InvalidPosition if self.place.forget_checkpoints() => {}
            Loss::InvalidPosition => message = message.or_else(|| self.at_invalid_position()),
        }
        message
    }

    /// The server answers, but has no record at the position to resume after. It is another
    /// database, or was restored from a backup. The position is treated like one after the last
    /// event: the subscription is caught up and delivers nothing. The caller can detect this
    /// with `event_at`.
    fn at_invalid_position(&mut self) -> Option<SubscriptionMessage> {
        self.outage.works();
        self.pause = Some(self.supervisor.connection().silence_limit());
        if self.invalid_position.is_due() {
            let location = self.supervisor.connection().location();
            tracing::error!(
                after = self.place.resume_after().map(tracing::field::display),
                "KurrentDB at {location} has no event at the position to subscribe after; check \
                 whether it was restored from a backup or replaced"
            );
        }
        Some(SubscriptionMessage::CaughtUp)
    }
}

/// Receives messages until the subscription ends or its reader is dropped.
async fn receive(
    client: Client,
    options: SubscribeToAllOptions,
    breaker: LoopBreaker,
    sender: mpsc::Sender<Result<SubscriptionEvent, Failure>>,
) {
    let mut subscription = client.subscribe_to_all(&options).await;
    // An error of `guard` means that the server ended the subscription without an error.
    while let Ok(message) = breaker.guard(subscription.next_subscription_event()).await {
        let is_last = message.is_err();
        if sender.send(message.map_err(Failure::from)).await.is_err() || is_last {
            return;
        }
    }
}
