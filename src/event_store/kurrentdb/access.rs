//! Logs refused access: which user may not do what, and which permission to grant.

use std::sync::{Mutex, PoisonError};

use super::connection_string::ConnectionString;
use super::outage::OncePerMinute;
use crate::event_store::EventStoreError;

/// The kinds of calls that need a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Append,
    Delete,
    ReadStreams,
    ReadAll,
    SubscribeToAll,
}

impl Call {
    fn text(self) -> &'static str {
        match self {
            Call::Append => "append to streams",
            Call::Delete => "delete streams",
            Call::ReadStreams => "read streams",
            Call::ReadAll => "read $all",
            Call::SubscribeToAll => "subscribe to $all",
        }
    }

    fn grant(self) -> &'static str {
        match self {
            Call::Append => "allow it to write streams ($w, for example in $userStreamAcl)",
            Call::Delete => "allow it to delete streams ($d, for example in $userStreamAcl)",
            Call::ReadStreams => {
                "allow it to read streams and their metadata ($r and $mr, for example in \
                 $userStreamAcl)"
            }
            Call::ReadAll | Call::SubscribeToAll => {
                "make it a member of $admins, or allow it to read $all ($r, for example in \
                 $systemStreamAcl)"
            }
        }
    }
}

/// Logs each kind of refused call the first time, and then at most once a minute.
#[derive(Debug, Default)]
pub(super) struct AccessLog {
    append: Mutex<OncePerMinute>,
    delete: Mutex<OncePerMinute>,
    read_streams: Mutex<OncePerMinute>,
    read_all: Mutex<OncePerMinute>,
    subscribe_to_all: Mutex<OncePerMinute>,
}

impl AccessLog {
    /// Logs the refusal, and returns the error for the caller.
    pub(super) fn denied(&self, connection: &ConnectionString, call: Call) -> EventStoreError {
        let kind = match call {
            Call::Append => &self.append,
            Call::Delete => &self.delete,
            Call::ReadStreams => &self.read_streams,
            Call::ReadAll => &self.read_all,
            Call::SubscribeToAll => &self.subscribe_to_all,
        };
        let user = match connection.user() {
            Some(user) => format!("user {user:?}"),
            None => "an anonymous user".to_owned(),
        };
        let what = call.text();
        let mut due = kind.lock().unwrap_or_else(PoisonError::into_inner);
        if due.is_due() {
            let location = connection.location();
            let grant = call.grant();
            tracing::error!(
                "KurrentDB at {location} refuses to let {user} {what}: check the user's name \
                 and password in the connection string, and {grant}"
            );
        }
        EventStoreError::AccessDenied {
            reason: format!("{user} may not {what}"),
        }
    }
}
