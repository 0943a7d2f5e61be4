//! Tests of the HTTP API: they start real servers on free ports and send HTTP requests.
//!
//! There is one file per behaviour. Tests inside `on_every_store!` run once on each event store.

mod documented;
#[path = "../support/kurrentdb/mod.rs"]
#[expect(
    dead_code,
    reason = "most of its faults are for the tests of the adapter"
)]
mod double;
#[path = "../support/tutorial.rs"]
mod tutorial;

mod exchange;
#[path = "../support/generated.rs"]
#[expect(dead_code, reason = "only generated games are used here")]
mod generated;
mod held_store;
mod lossy_proxy;
#[path = "../support/openapi.rs"]
mod openapi;
mod program;
mod raw;
#[path = "../support/real_kurrentdb.rs"]
mod real_kurrentdb;
mod service;
mod watcher;

mod accept;
mod all_events;
mod all_events_edge_cases;
mod bad_input;
mod bodies;
mod computer;
mod computer_faults;
mod conditional_reads;
mod connections;
mod damaged_lists;
mod descriptors;
mod documents;
mod faults;
mod file_size_limit;
mod forget_game;
mod games;
mod history;
mod http_2;
mod idempotency_keys;
mod kurrentdb;
mod kurrentdb_rules;
mod lists;
mod live;
mod live_hub;
mod live_long_poll;
mod live_races;
mod logs;
mod moves;
mod names;
mod observability;
mod operations;
mod options;
mod players;
mod preconditions;
mod process;
mod protected_games;
mod protected_routes;
mod put_game;
mod races;
mod read_your_writes;
mod remembered_games;
mod request_bodies;
mod resignation;
mod retries;
mod revisions;
mod shutdown;
mod stored_games;
mod text_board;
mod token_secrecy;
mod tutorial_games;
