//! Sets `TCP_NODELAY` on the crate's connections, which the crate does not.
//!
//! Without it each call waits for the server's delayed ACK: the request's headers and its
//! body are two small segments, and Nagle's algorithm holds the second back until the first
//! is acknowledged, 40 ms later. Measured over loopback, one append after the other
//! (`benches/kurrentdb.rs`): p50 44 ms without, 0.05 ms with.
//!
//! The crate offers no hook for its sockets, so the option is set from outside, on every TCP
//! connection that this process has: none of them wants the delay. The connections are found
//! in `/dev/fd`, which needs no privilege. `pidfd_getfd` would be safe Rust, but container
//! runtimes forbid it to processes without `CAP_SYS_PTRACE`; a relay of our own in between
//! would break the names in certificates and the addresses that a cluster tells its clients.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A call that takes at least this long may have waited for an ACK, on a connection that the
/// crate opened anew without telling.
pub(super) const SUSPICIOUS: Duration = Duration::from_millis(30);

/// How often slow calls may lead to a look at the sockets.
const PAUSE: Duration = Duration::from_secs(1);

/// Sets the option now, in the background.
pub(super) fn set() {
    tokio::task::spawn_blocking(|| match set_on_all_connections() {
        Ok(0) => warn_once("no TCP connection was found among the open files"),
        Ok(_) => {}
        Err(error) => warn_once(&error.to_string()),
    });
}

/// Sets the option again, now and then: a call was slow.
pub(super) fn suspect() {
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
            "could not set TCP_NODELAY on the connection to KurrentDB; calls may take 40 ms \
             longer than they have to"
        );
    });
}

/// How many connections have the option now.
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
#[expect(
    unsafe_code,
    reason = "the crate's sockets are out of reach of safe Rust"
)]
fn set_on(descriptor: std::os::fd::RawFd) -> bool {
    let on: libc::c_int = 1;
    // SAFETY: setsockopt reads four bytes from `on`, a live local, and keeps no pointer. It
    // is called by number, without a claim to own or borrow the descriptor: should it have
    // been closed meanwhile, the kernel answers EBADF; should the number have a new owner,
    // or no TCP socket behind it, it answers ENOTSOCK or EOPNOTSUPP, or sets the option on
    // another connection of this process, whose contents and lifetime it does not touch.
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
    fn a_connection_that_somebody_else_opened_gets_the_option() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let connection = TcpStream::connect(address).expect("a listener");
        assert!(!connection.nodelay().expect("open"));

        assert!(set_on_all_connections().expect("a list of open files") > 0);
        assert!(connection.nodelay().expect("open"));
    }

    #[test]
    fn a_number_without_a_socket_is_let_be() {
        assert!(!set_on(-1));
        let file = tempfile::tempfile().expect("a file");
        assert!(!set_on(std::os::fd::AsRawFd::as_raw_fd(&file)));
    }
}
