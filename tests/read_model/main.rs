//! The read model: its answers are correct for the stored events, whatever happens to the process,
//! the file and the store.

#[path = "../support/kurrentdb/mod.rs"]
#[expect(
    dead_code,
    reason = "most of its faults are used by the adapter's own tests"
)]
mod double;
#[path = "../support/generated.rs"]
#[expect(dead_code, reason = "these tests use the generated histories only")]
mod generated;
#[path = "../support/tutorial.rs"]
#[expect(dead_code, reason = "other users of the double need more of it")]
mod tutorial;

mod erasable;
mod logs;
mod program;
mod support;

mod answers;
mod command;
mod damage;
mod deletions;
mod files;
mod forgetting;
mod histories;
mod kills;
mod metrics;
mod outages;
mod pages;
mod panics;
mod rebuilds;
mod replicas;
mod restores;
mod stores;
mod waiting;
