//! The service as its clients see it: real servers on free ports, spoken to over HTTP.
//!
//! One file a behaviour. Tests inside `on_every_store!` run once on each event store.

mod announced;
#[path = "../support/kurrentdb/mod.rs"]
#[expect(
    dead_code,
    reason = "most of its faults are for the adapter's own tests"
)]
mod double;
#[path = "../support/openapi.rs"]
mod openapi;
mod program;
#[path = "../support/real_kurrentdb.rs"]
mod real_kurrentdb;
mod service;
mod watcher;

mod bad_input;
mod conditional_reads;
mod documents;
mod faults;
mod games;
mod history;
mod kurrentdb;
mod live;
mod live_hub;
mod live_long_poll;
mod live_races;
mod moves;
mod operations;
mod process;
mod races;
mod text_board;
