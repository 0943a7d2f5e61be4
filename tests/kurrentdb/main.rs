//! The KurrentDB adapter against a double that fails on command: nothing acknowledged is
//! lost, nothing is stored twice, the answer is true, and all recovers by itself.

#[path = "../support/kurrentdb/mod.rs"]
mod double;
mod support;

mod appends;
mod cluster;
mod outages;
mod reads;
mod server_rules;
mod speed;
mod subscriptions;
mod tls;
mod tutorial;
