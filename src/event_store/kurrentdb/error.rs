//! Classifies the errors of the crate by what the caller can do about them.

use kurrentdb::{CurrentRevision, Error};

use crate::event_store::StreamRevision;

/// Why a call failed, classified by what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The stream is not at the expected revision. Holds its last revision.
    Conflict(Option<StreamRevision>),
    /// The stream does not exist.
    Missing,
    /// The stream was deleted permanently (tombstoned).
    Deleted,
    /// The call had no effect. It may succeed when it is repeated.
    NotDone(String),
    /// The client no longer works, and the call was not sent.
    ClientDead(String),
    /// The call may or may not have had an effect.
    Unknown(String),
    /// The server stopped waiting for a commit, which may still happen. The connection is fine.
    GivenUp(String),
    /// The database does not accept the call; repeating it does not help.
    Refused(String),
    /// The request is invalid. For a read of `$all`: no record begins at the given position.
    InvalidArgument(String),
    /// The user lacks a permission or could not be authenticated.
    Denied,
}

/// The numbers of gRPC status codes, because the crate does not export their type.
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
                "the node is not the leader; the leader is {}:{}",
                leader.host, leader.port
            )),
            // The task behind the client ends with the first connection attempt that fails.
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
