//! The subscription: events of all streams with a prefix, through whatever happens to the
//! connection.
//!
//! The crate could resubscribe by itself, but without a pause, from `End` again if it began
//! there, and for a second only. So each loss ends its subscription and its client here, and
//! the next one begins after a pause, with a new client, where no event can be missed. It has
//! a client of its own so that it does not count among the calls in flight.
//!
//! A server that shuts down and a proxy that forgot a connection say nothing. So silence is
//! tested: by a call on the same connection, and by a read on the shared client that asks for
//! the next event, which the subscription then has to deliver.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kurrentdb::{
    Client, Position, StreamPosition, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::access::Call;
use super::backoff::Backoff;
use super::client::Supervisor;
use super::connect::{OwnedClient, connect, probe};
use super::error::Failure;
use super::loop_breaker::LoopBreaker;
use super::outage::{OncePerMinute, Witness};
use super::place::Place;
use super::read::{Heard, METADATA_OF, Page};
use super::{position, read};
use crate::event_store::{EventStoreError, GlobalPosition, Subscription, SubscriptionMessage};

/// How many events the server looks at between two checkpoints: after a loss no more than
/// twice as many are looked at again. Its own choice would be 32, a message for every 32
/// events of others.
const WINDOW: u32 = 1000;

/// How many messages are received before the reader takes them.
const RECEIVED: usize = 256;

pub(super) fn subscribe(
    supervisor: Arc<Supervisor>,
    prefix: &'static str,
    after: Option<GlobalPosition>,
) -> Subscription {
    let reader = Reader {
        outage: supervisor.outages().witness(),
        supervisor,
        prefix,
        place: Place::after(after),
        client: None,
        open: None,
        pause: None,
        pauses: Backoff::default(),
        is_live: false,
        invalid_position: OncePerMinute::default(),
    };
    stream::unfold(reader, |mut reader| async move {
        let message = reader.next().await;
        Some((message, reader))
    })
    .boxed()
}

/// A subscription's place, which outlives its connections.
struct Reader {
    supervisor: Arc<Supervisor>,
    prefix: &'static str,
    place: Place,
    /// Outlives its subscription when the server only refused that.
    client: Option<OwnedClient>,
    open: Option<Open>,
    /// Before the next attempt to subscribe.
    pause: Option<Duration>,
    pauses: Backoff,
    /// Whether anything was delivered since the subscription was last lost.
    is_live: bool,
    outage: Witness,
    invalid_position: OncePerMinute,
}

/// A subscription of the crate. It runs in a task of its client's, since its call for the
/// next message loses its place when it is dropped.
struct Open {
    messages: mpsc::Receiver<Result<SubscriptionEvent, Failure>>,
    is_confirmed: bool,
}

/// Why a subscription ended.
enum Loss {
    /// The connection or the node.
    Connection(String),
    /// No record begins at the position to resume from.
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
                Loss::Connection(format!("an answer to another question: {failure:?}"))
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

    /// One message from the server, which need not be one for the reader.
    async fn step(&mut self) -> Result<Option<SubscriptionMessage>, Loss> {
        if self.open.is_none() {
            self.open = Some(self.open().await?);
        }
        let connection = self.supervisor.connection();
        let open = self.open.as_mut().expect("just opened");
        let patience = match open.is_confirmed {
            true => connection.patience(),
            false => connection.call_timeout(),
        };
        match timeout(patience, open.messages.recv()).await {
            Ok(message) => self.hear(message),
            Err(_) if open.is_confirmed => self.test_silence().await,
            Err(_) => Err(Loss::Connection(format!("no answer within {patience:?}"))),
        }
    }

    fn hear(
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
                Ok(match read::heard(event) {
                    Heard::Event(event) => Some(SubscriptionMessage::Recorded(event)),
                    Heard::Truncated(stream) => Some(SubscriptionMessage::StreamTruncated(stream)),
                    Heard::Other => None,
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

    /// The server is silent. Its connection has to answer a call; and if there is a next
    /// event, the subscription has to deliver it within the time of a call. If there is none,
    /// the silence is a sign of life.
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
            message = messages.recv() => return self.hear(message),
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
            Ok(message) => self.hear(message),
            Err(_) => Err(Loss::Connection(format!(
                "an event that is stored was not delivered within {limit:?}"
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
            .sign(options, SubscribeToAllOptions::authenticated);
        let (sender, messages) = mpsc::channel(RECEIVED);
        // Made here: it passes on to the log of this task.
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
        self.pauses = Backoff::default();
        self.outage.works();
    }

    /// What the reader is told of the loss, once per outage.
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
            Loss::InvalidPosition => message = message.or_else(|| self.nothing_after()),
        }
        message
    }

    /// The server answers, but has no record at the position: it is another database, or an
    /// earlier state of this one. It is treated like a position beyond the end, from which a
    /// subscription is caught up and silent. The caller finds out with `event_at`.
    fn nothing_after(&mut self) -> Option<SubscriptionMessage> {
        self.outage.works();
        self.pause = Some(self.supervisor.connection().patience());
        if self.invalid_position.is_due() {
            let location = self.supervisor.connection().location();
            tracing::error!(
                after = self.place.resume_after().map(tracing::field::display),
                "KurrentDB at {location} has no event at the position to subscribe from; was \
                 it restored from a backup?"
            );
        }
        Some(SubscriptionMessage::CaughtUp)
    }
}

/// Receives messages until the subscription ends or nobody reads them.
async fn receive(
    client: Client,
    options: SubscribeToAllOptions,
    breaker: LoopBreaker,
    sender: mpsc::Sender<Result<SubscriptionEvent, Failure>>,
) {
    let mut subscription = client.subscribe_to_all(&options).await;
    // Broken off: the server ended the subscription without an error.
    while let Ok(message) = breaker.guard(subscription.next_subscription_event()).await {
        let is_last = message.is_err();
        if sender.send(message.map_err(Failure::from)).await.is_err() || is_last {
            return;
        }
    }
}
