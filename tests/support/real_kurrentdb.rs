//! A real KurrentDB. Its tests are ignored unless they are asked for:
//! `KURRENTDB_URL='kurrentdb://localhost:2113?tls=false' cargo test real_kurrentdb -- --ignored`.

/// Where it is.
pub(crate) fn url() -> String {
    let url = std::env::var("KURRENTDB_URL").unwrap_or_default();
    assert!(!url.is_empty(), "KURRENTDB_URL names no database");
    url
}
