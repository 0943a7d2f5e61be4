//! Why a connection string is refused.

/// Why a connection string is refused. Never holds a password.
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
