//! What an error of the crate means for the call that met it.

use kurrentdb::{CurrentRevision, Error};

use crate::event_store::StreamRevision;

/// Why a call failed, by what may be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The stream is elsewhere.
    Conflict(Option<StreamRevision>),
    /// There is no such stream.
    Missing,
    /// The stream was tombstoned.
    Deleted,
    /// The database did nothing and may do it when it is asked again.
    NotDone(String),
    /// The client is of no use any more; the call was not sent.
    ClientDead(String),
    /// The database may or may not have done it.
    Unknown(String),
    /// The server stopped waiting for a commit, which may still happen. The connection is fine.
    GivenUp(String),
    /// The database will not do it.
    Refused(String),
    /// The request itself is invalid; of a read of `$all`: no record begins at its position.
    InvalidArgument(String),
    /// The user lacks a permission or could not be authenticated.
    Denied,
}

/// Codes of gRPC, by number: the crate does not export the type.
const INVALID_ARGUMENT: i32 = 3;
const RESOURCE_EXHAUSTED: i32 = 8;
const FAILED_PRECONDITION: i32 = 9;
const ABORTED: i32 = 10;
const OUT_OF_RANGE: i32 = 11;

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let text = error.to_string();
        match error {
            Error::WrongExpectedVersion { current, .. } => Failure::Conflict(match current {
                CurrentRevision::Current(revision) => Some(StreamRevision::new(revision)),
                CurrentRevision::NoStream => None,
            }),
            Error::ResourceNotFound => Failure::Missing,
            Error::ResourceDeleted => Failure::Deleted,
            Error::NotLeaderException(leader) => Failure::NotDone(format!(
                "the node is not the leader, {}:{} is",
                leader.host, leader.port
            )),
            // The actor behind the client ends with the first connection that fails.
            Error::ConnectionClosed | Error::GrpcConnectionError(_) => Failure::ClientDead(text),
            Error::ServerError(_) | Error::DeadlineExceeded => Failure::Unknown(text),
            Error::Grpc { code, .. } => match code.into() {
                INVALID_ARGUMENT => Failure::InvalidArgument(text),
                RESOURCE_EXHAUSTED | FAILED_PRECONDITION | OUT_OF_RANGE => Failure::Refused(text),
                ABORTED => Failure::GivenUp(text),
                _ => Failure::Unknown(text),
            },
            Error::AccessDenied => Failure::Denied,
            Error::ResourceAlreadyExists
            | Error::UnsupportedFeature
            | Error::InternalParsingError(_)
            | Error::InternalClientError
            | Error::InitializationError(_)
            | Error::IllegalStateError(_) => Failure::Refused(text),
        }
    }
}
