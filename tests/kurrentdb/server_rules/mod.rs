//! The double answers the crate's client as a real KurrentDB did.

mod access;
mod appends_at_once;
mod asking;
mod backups;
mod checkpoints;
mod connections;
mod deleted_streams;
mod positions;
mod truncated_streams;
