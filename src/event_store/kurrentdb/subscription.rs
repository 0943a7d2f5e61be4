//! The subscription: events of all streams with a prefix, through whatever happens to the
//! connection.
//!
//! The crate could resubscribe by itself, but without a pause, from `End` again if it began
//! there, and for a second only. So each loss ends its subscription and its client here, and
//! the next one begins after a pause, with a new client, at the position last seen. It has a
//! client of its own so that it does not count among the calls in flight.

use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use kurrentdb::{
    Client, Position, StreamPosition, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter,
};
use tokio::time::timeout;

use super::backoff::Backoff;
use super::client::{connect, probe};
use super::connection_string::ConnectionString;
use super::error::Failure;
use super::loop_breaker::{BrokenOff, LoopBreaker};
use super::{position, read};
use crate::event_store::{GlobalPosition, Subscription, SubscriptionMessage};

/// How many events the server looks at between two checkpoints: after a loss no more than
/// these are looked at again. Its own choice would be 32, a message for every 32 events of
/// others.
const WINDOW: u32 = 1000;

/// For how many calls' time the server may be silent before the connection is tested. It may
/// have nothing to say, or be gone without a word.
const SILENCE: u32 = 4;

pub(super) fn subscribe(
    connection: Arc<ConnectionString>,
    prefix: &'static str,
    after: Option<GlobalPosition>,
) -> Subscription {
    let reader = Reader {
        connection,
        prefix,
        after,
        open: None,
        pauses: Backoff::default(),
        is_lost: false,
    };
    stream::unfold(reader, |mut reader| async move {
        let message = reader.next().await;
        Some((message, reader))
    })
    .boxed()
}

/// A subscription's place, which outlives its connections.
struct Reader {
    connection: Arc<ConnectionString>,
    prefix: &'static str,
    /// The last position that was delivered or passed over.
    after: Option<GlobalPosition>,
    open: Option<Open>,
    pauses: Backoff,
    is_lost: bool,
}

/// A subscription of the crate.
struct Open {
    client: Client,
    subscription: kurrentdb::Subscription,
    breaker: LoopBreaker,
    is_confirmed: bool,
}

impl Reader {
    async fn next(&mut self) -> SubscriptionMessage {
        loop {
            match self.step().await {
                Ok(Some(message)) => return message,
                Ok(None) => {}
                Err(reason) => {
                    self.open = None;
                    if !self.is_lost {
                        self.is_lost = true;
                        let location = self.connection.location();
                        tracing::warn!(reason, "lost the subscription to KurrentDB at {location}");
                    }
                    tokio::time::sleep(self.pauses.next_pause()).await;
                }
            }
        }
    }

    /// One message from the server, which need not be one for the reader.
    async fn step(&mut self) -> Result<Option<SubscriptionMessage>, String> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        let message = open.next(&self.connection).await?;
        let message = match message {
            SubscriptionEvent::EventAppeared(event) => {
                self.works();
                read::recorded(event, None)
                    .filter(|event| self.moved_to(event.position))
                    .map(SubscriptionMessage::Recorded)
            }
            SubscriptionEvent::Checkpoint(at) => {
                self.moved_to(position(at));
                None
            }
            SubscriptionEvent::CaughtUp(_) => {
                self.works();
                Some(SubscriptionMessage::CaughtUp)
            }
            SubscriptionEvent::Confirmed(_) => {
                open.is_confirmed = true;
                None
            }
            SubscriptionEvent::FirstStreamPosition(_)
            | SubscriptionEvent::LastStreamPosition(_)
            | SubscriptionEvent::LastAllPosition(_)
            | SubscriptionEvent::FellBehind(_) => None,
        };
        self.open = Some(open);
        Ok(message)
    }

    async fn open(&mut self) -> Result<Open, String> {
        let client = connect(&self.connection).await?;
        let start = self.after.map_or(StreamPosition::Start, |after| {
            StreamPosition::Position(Position {
                commit: after.commit(),
                prepare: after.prepare(),
            })
        });
        let filter = SubscriptionFilter::on_stream_name()
            .add_prefix(self.prefix)
            .max(WINDOW);
        let options = SubscribeToAllOptions::default()
            .position(start)
            .filter(filter)
            .requires_leader(true);
        let options = self
            .connection
            .sign(options, SubscribeToAllOptions::authenticated);
        Ok(Open {
            subscription: client.subscribe_to_all(&options).await,
            client,
            breaker: LoopBreaker::new(),
            is_confirmed: false,
        })
    }

    fn works(&mut self) {
        self.pauses = Backoff::default();
        if std::mem::take(&mut self.is_lost) {
            tracing::info!(
                after = self.after.map(tracing::field::display),
                "subscribed again to KurrentDB at {}",
                self.connection.location()
            );
        }
    }

    /// Remembers the position. False when it was there before.
    fn moved_to(&mut self, position: GlobalPosition) -> bool {
        let is_new = self.after.is_none_or(|after| after < position);
        if is_new {
            self.after = Some(position);
        }
        is_new
    }
}

impl Open {
    /// The next message, with a test of the connection whenever the server is silent.
    async fn next(
        &mut self,
        connection: &Arc<ConnectionString>,
    ) -> Result<SubscriptionEvent, String> {
        let patience = match self.is_confirmed {
            true => connection.call_timeout() * SILENCE,
            false => connection.call_timeout(),
        };
        let next = self.subscription.next_subscription_event();
        let mut next = pin!(self.breaker.guard(next));
        loop {
            match timeout(patience, &mut next).await {
                Ok(Ok(Ok(message))) => return Ok(message),
                Ok(Ok(Err(error))) => return Err(error.to_string()),
                Ok(Err(BrokenOff)) => return Err("the server ended the subscription".to_owned()),
                Err(_) if !self.is_confirmed => {
                    return Err(format!("no answer within {patience:?}"));
                }
                Err(_) => match timeout(
                    connection.call_timeout(),
                    probe(self.client.clone(), connection.clone()),
                )
                .await
                {
                    Ok(Ok(()) | Err(Failure::Refused(_))) => {}
                    Ok(Err(failure)) => return Err(format!("{failure:?}")),
                    Err(_) => return Err("the connection went silent".to_owned()),
                },
            }
        }
    }
}
