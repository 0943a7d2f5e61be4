//! The layers around every handler.

pub(crate) mod cors;
pub(crate) mod request_context;
mod to_the_end;
