//! `connect-four copy`: the target has every event of the source, whatever happens to the program,
//! the stores and the games meanwhile.

#[path = "../support/kurrentdb/mod.rs"]
#[expect(
    dead_code,
    reason = "most of its faults are used by the adapter's own tests"
)]
mod double;
#[path = "../support/generated.rs"]
#[expect(dead_code, reason = "these tests use the generated games only")]
mod generated;
#[path = "../support/tutorial.rs"]
#[expect(dead_code, reason = "other users of the double need more of it")]
mod tutorial;

mod count;
mod histories;
mod program;
mod stores;
mod troubled;

mod conflicts;
mod deletions;
mod directions;
mod following;
mod kills;
mod moving;
mod outages;
mod reading;
mod served;
