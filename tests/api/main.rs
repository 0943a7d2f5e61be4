//! The service as its clients see it: real servers on free ports, spoken to over HTTP.
//!
//! One file a behaviour. Tests inside `on_every_store!` run once on each event store.

mod program;
mod service;

mod bad_input;
mod faults;
mod games;
mod history;
mod moves;
mod operations;
mod process;
mod races;
