//! The production store: KurrentDB, through its official crate.
//!
//! Each file is responsible for one thing that the crate or the server leaves to its user:
//! `connection_string` for what may be connected to, `connect` for a client that can be
//! closed, `client` for one that works, `append` and `read` for one call each, `repetitions`
//! for the same append twice at once, `subscription` for calls that never end, `place` for
//! where they resume, `error` for what an error means, `outage` and `access` for what is
//! logged of it, `nodelay` for 40 ms per call, and `loop_breaker` for an endless loop.

mod access;
mod append;
mod attempts;
mod client;
mod connect;
mod connection_string;
mod error;
mod loop_breaker;
mod nodelay;
mod outage;
mod place;
mod position;
mod read;
mod repetitions;
mod store;
mod subscription;

pub use connection_string::{ConnectionString, InvalidConnectionString};
pub use store::KurrentDbStore;
