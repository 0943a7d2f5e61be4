//! HTML pages: small, self-contained, and not allowed to load anything from another host.

use crate::http::response::text;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use uuid::Uuid;

const FRAME: &str = include_str!("page.html");

/// A page with this title, which is plain text, and this body, which is HTML.
pub(crate) fn page(
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    title: &str,
    body: &str,
) -> Response {
    let page = FRAME
        .replace("{title}", &escape(title))
        .replace("{body}", body);
    html(headers, &page)
}

/// A complete HTML page. Only scripts and styles with the nonce of this response run.
pub(crate) fn html(
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    page: &str,
) -> Response {
    // 74 bits of a UUIDv7 are random. The nonce is used for one response only.
    let nonce = Uuid::now_v7().simple().to_string();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy).expect("hexadecimal digits are a header value");
    let headers = headers.into_iter().chain([
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]);
    text(
        headers,
        "text/html; charset=utf-8",
        page.replace("{nonce}", &nonce),
    )
}

/// Escapes text for HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_taken_for_html() {
        assert_eq!(escape("<a href=\"&\">"), "&lt;a href=&quot;&amp;&quot;&gt;");
    }
}
