//! A real KurrentDB, for who has one: `KURRENTDB_URL='kurrentdb://localhost:2113?tls=false'`.

use std::io::Write;
use std::sync::Once;

/// Where it is. `None` skips the test that asks, and says so past the test runner, which
/// keeps the output of tests that succeed to itself.
pub(crate) fn url() -> Option<String> {
    static SAID: Once = Once::new();
    let url = std::env::var("KURRENTDB_URL").ok();
    let url = url.filter(|url| !url.is_empty());
    if url.is_none() {
        SAID.call_once(|| {
            let said = "\nSKIPPED, for want of a real KurrentDB: set KURRENTDB_URL to run them\n";
            // Who closed stderr does not want to know.
            let _ = std::io::stderr().write_all(said.as_bytes());
        });
    }
    url
}
