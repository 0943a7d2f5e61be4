//! The production store: KurrentDB, through its official crate.
//!
//! Each file solves one problem that the crate or the server leaves to its user:
//!
//! - `connection_string` parses and checks the connection string.
//! - `connect` makes a client that can be closed; `client` replaces one that has failed.
//! - `append` and `read` make the calls, `attempts` limits their retries, and `repetitions`
//!   joins identical appends that run at the same time.
//! - `subscription` delivers events through reconnections; `place` decides where it resumes.
//! - `error` classifies errors; `outage` and `access` log outages and missing permissions.
//! - `nodelay` saves 40 ms per call; `loop_breaker` ends an endless loop in the crate.

mod access;
mod append;
mod attempts;
mod client;
mod connect;
mod connection_string;
mod delete;
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
