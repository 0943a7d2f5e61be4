//! The KurrentDB adapter against a double that fails on demand: nothing acknowledged is lost,
//! nothing is stored twice, every answer is true, and the adapter recovers by itself.

#[path = "../support/kurrentdb/mod.rs"]
mod double;
mod log;
mod support;

mod access;
mod appends;
mod cluster;
mod connections;
mod deletions;
mod outages;
mod reads;
mod repetitions;
mod server_rules;
mod speed;
mod subscriptions;
mod tls;
mod tutorial;
