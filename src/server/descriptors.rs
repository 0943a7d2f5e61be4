//! File descriptors: each connection needs one, and so does each file of the store.

use std::fs::read_dir;
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many descriptors connections leave unused. The stores open files while they work, and connections to their
/// database; connections that are refused need some, too.
const SPARE: usize = 64;

/// Raises the limit on open files to the most that the system allows without privileges. Shells set a low limit for
/// programs that use `select`, which this one does not.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    Ok(setrlimit(Resource::Nofile, raised)?)
}

/// How many connections the process can serve, besides the files that it has opened so far.
pub(super) fn for_connections() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let free = limit.saturating_sub(open_descriptors());
    free.saturating_sub(SPARE.min(free / 2)).max(1)
}

/// 0 on systems that do not list them.
fn open_descriptors() -> usize {
    read_dir("/dev/fd").map_or(0, Iterator::count)
}
