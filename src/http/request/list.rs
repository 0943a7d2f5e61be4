//! List fields (RFC 9110, 5.6.1).

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The elements of a list field, from all of its lines. Empty elements are ignored (RFC 9110, 5.6.1.2), and so are
/// lines that are not ASCII text.
pub(crate) fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).iter().map(HeaderValue::to_str);
    lines
        .filter_map(Result::ok)
        .flat_map(|line| split_unquoted(line, ','))
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

/// Splits at each separator that is not in a quoted string.
pub(crate) fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |letter| {
        let is_literal = std::mem::take(&mut is_escaped);
        match letter {
            '"' if !is_literal => is_quoted = !is_quoted,
            '\\' if is_quoted && !is_literal => is_escaped = true,
            _ => {}
        }
        letter == separator && !is_quoted
    })
}
