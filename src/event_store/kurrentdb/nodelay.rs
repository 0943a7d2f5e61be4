//! Sets `TCP_NODELAY` on the crate's connections, because the crate does not set it.
//!
//! Without it, each call waits for the server's delayed ACK. The request's headers and its body
//! are two small segments, and Nagle's algorithm holds the second back until the first is
//! acknowledged, 40 ms later. Measured over loopback, one append after the other
//! (`benches/kurrentdb.rs`): p50 44 ms without the option, 0.05 ms with it.
//!
//! The crate gives no access to its sockets. So the option is set on every TCP connection of
//! this process; none of them needs the delay. The connections are found in `/dev/fd`, which
//! needs no privilege. `pidfd_getfd` would be safe Rust, but container runtimes forbid it to
//! processes without `CAP_SYS_PTRACE`. A relay between the crate and the server would break the
//! names in certificates and the addresses that a cluster sends to its clients.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A call that takes at least this long may have waited for an ACK, because the crate opened a
/// new connection. It does not report that.
pub(super) const SLOW_CALL: Duration = Duration::from_millis(30);

/// The shortest time between two checks of the sockets because of slow calls.
const PAUSE: Duration = Duration::from_secs(1);

/// Sets the option on all connections, in the background.
pub(super) fn set() {
    tokio::task::spawn_blocking(|| match set_on_all_connections() {
        Ok(0) => warn_once("no TCP connection was found among the open files"),
        Ok(_) => {}
        Err(error) => warn_once(&error.to_string()),
    });
}

/// Sets the option again after a slow call, at most once a second.
pub(super) fn set_after_slow_call() {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let Ok(mut last) = LAST.try_lock() else {
        return;
    };
    if last.is_none_or(|last| last.elapsed() >= PAUSE) {
        *last = Some(Instant::now());
        set();
    }
}

fn warn_once(reason: &str) {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        tracing::warn!(
            reason,
            "could not set TCP_NODELAY on the connection to KurrentDB; each call may take 40 ms \
             longer"
        );
    });
}

/// Sets the option on all TCP connections of this process, and returns how many there are.
#[cfg(unix)]
fn set_on_all_connections() -> std::io::Result<usize> {
    let mut connections = 0;
    for entry in std::fs::read_dir("/dev/fd")? {
        let name = entry?.file_name();
        let Some(descriptor) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        connections += usize::from(set_on(descriptor));
    }
    Ok(connections)
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "safe Rust cannot access the crate's sockets")]
fn set_on(descriptor: std::os::fd::RawFd) -> bool {
    let on: libc::c_int = 1;
    // SAFETY: setsockopt reads four bytes from `on`, a live local, and keeps no pointer. The
    // descriptor is passed as a number; this code neither owns nor borrows it. If it was closed
    // meanwhile, the kernel returns EBADF. If the number now belongs to something that is not a
    // TCP socket, the kernel returns ENOTSOCK or EOPNOTSUPP. If it belongs to another connection
    // of this process, the option is set there, which does not affect its data or lifetime.
    let outcome = unsafe {
        libc::setsockopt(
            descriptor,
            libc::IPPROTO_TCP,
            libc::TCP_NODELAY,
            std::ptr::from_ref(&on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    outcome == 0
}

#[cfg(not(unix))]
fn set_on_all_connections() -> std::io::Result<usize> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_that_other_code_opened_gets_the_option() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let connection = TcpStream::connect(address).expect("a listener");
        assert!(!connection.nodelay().expect("open"));

        assert!(set_on_all_connections().expect("a list of open files") > 0);
        assert!(connection.nodelay().expect("open"));
    }

    #[test]
    fn a_descriptor_that_is_not_a_socket_is_left_unchanged() {
        assert!(!set_on(-1));
        let file = tempfile::tempfile().expect("a file");
        assert!(!set_on(std::os::fd::AsRawFd::as_raw_fd(&file)));
    }
}
