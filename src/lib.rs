//! Event-sourced games of Connect Four over HTTP.
//!
//! The modules, in the order in which they may use each other (`ARCHITECTURE.md` has the
//! whole picture; `tests/architecture.rs` checks it):

mod backoff;
pub mod domain;
mod sqlite_file;

pub mod computer;
pub mod drawing;

pub mod event_store;

pub mod application;
pub mod metrics;

pub mod live;
pub mod read_model;

pub mod http;

pub mod client;
pub mod terminal;

pub mod config;
pub mod health;
pub mod rebuild;
pub mod telemetry;

pub mod server;
