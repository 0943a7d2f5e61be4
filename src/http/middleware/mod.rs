//! What happens around every handler.

pub(crate) mod cors;
mod if_match;
pub(crate) mod request_context;
mod to_the_end;
