//! An event-sourced HTTP service for games of Connect Four.
//!
//! The modules are listed so that each group uses only groups above it. `ARCHITECTURE.md` describes
//! them; `tests/architecture.rs` checks the imports.

mod backoff;
pub mod domain;
mod outage_log;
mod panics;
mod sqlite_file;
pub mod telemetry;

pub mod drawing;

pub mod event_store;

pub mod application;
pub mod metrics;

pub mod live;
pub mod read_model;

pub mod computer;

pub mod http;

pub mod client;
pub mod terminal;

pub mod server;

pub mod cli;
