//! Extractors: the parts of a request, parsed and checked.

pub(crate) mod accept;
pub(crate) mod bearer_token;
pub(crate) mod body;
mod body_bytes;
mod body_value;
pub(crate) mod entity_tag;
pub(crate) mod host;
pub(crate) mod idempotency_key;
pub(crate) mod if_none_match;
pub(crate) mod list;
pub(crate) mod path;
pub(crate) mod position;
pub(crate) mod preconditions;
pub(crate) mod prefer;
pub(crate) mod query;
pub(crate) mod request_id;
pub(crate) mod trace_context;
