//! The double against what a real KurrentDB answered, asked through the crate itself.

mod access;
mod appends_at_once;
mod asking;
mod backups;
mod checkpoints;
mod connections;
mod deleted_streams;
mod positions;
mod truncated_streams;
