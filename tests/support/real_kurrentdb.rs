//! A real KurrentDB. The tests that need one are ignored by default. To run them:
//! `KURRENTDB_URL='kurrentdb://localhost:2113?tls=false' cargo test real_kurrentdb -- --ignored`.

/// The connection string of the database.
pub(crate) fn url() -> String {
    let url = std::env::var("KURRENTDB_URL").unwrap_or_default();
    assert!(!url.is_empty(), "KURRENTDB_URL names no database");
    url
}
