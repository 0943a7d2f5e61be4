//! The `connect-four` program.

fn main() {}
