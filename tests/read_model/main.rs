//! The read model: what it answers follows from the events, whatever happens to it, to its
//! file and to its store.

#[path = "../support/kurrentdb/mod.rs"]
#[expect(
    dead_code,
    reason = "most of its faults are for the adapter's own tests"
)]
mod double;
#[path = "../support/generated.rs"]
#[expect(dead_code, reason = "only histories are needed here")]
mod generated;
#[path = "../support/tutorial.rs"]
#[expect(dead_code, reason = "the double's other users need more of it")]
mod tutorial;

mod erasable;
mod logs;
mod program;
mod support;

mod answers;
mod command;
mod deletions;
mod files;
mod forgetting;
mod histories;
mod kills;
mod metrics;
mod outages;
mod pages;
mod restores;
mod stores;
mod waiting;
