//! The error of a connection string that cannot be used.

/// Why a connection string is refused. Never contains a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidConnectionString(String);

impl InvalidConnectionString {
    pub(in super::super) fn new(reason: String) -> Self {
        InvalidConnectionString(reason)
    }
}

pub(super) fn refused(reason: impl Into<String>) -> InvalidConnectionString {
    InvalidConnectionString(reason.into())
}
