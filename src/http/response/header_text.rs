//! Header values that are put together from ASCII text.

use axum::http::HeaderValue;
use bytes::Bytes;

/// The value of these pieces of printable ASCII text. It is allocated once, with exactly its length.
pub(crate) fn header_text<const N: usize>(pieces: [&str; N]) -> HeaderValue {
    let length = pieces.iter().map(|piece| piece.len()).sum();
    let mut text = Vec::with_capacity(length);
    for piece in pieces {
        text.extend_from_slice(piece.as_bytes());
    }
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("printable ASCII is a header value")
}
