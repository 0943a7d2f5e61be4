//! `Authorization: Bearer …`: the token of a player in a protected game (RFC 6750, 2.1).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::application::PlayerToken;

/// The token of the request. `None` if the field is absent or has another scheme, which may be meant for a proxy in
/// front of this service. A malformed or repeated field gives a token that belongs to nobody.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<PlayerToken> {
    let mut tokens = headers.get_all(AUTHORIZATION).iter().filter_map(|field| {
        let (scheme, token) = field.as_bytes().split_at_checked(6)?;
        let is_bearer = scheme.eq_ignore_ascii_case(b"bearer");
        (is_bearer && token.first().is_none_or(u8::is_ascii_whitespace)).then_some(token)
    });
    let token = tokens.next()?;
    let is_only_one = tokens.next().is_none();
    let text = str::from_utf8(token.trim_ascii()).ok();
    Some(PlayerToken::presented(
        text.filter(|_| is_only_one).unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(fields: &[&str]) -> Option<String> {
        let headers = fields.iter().map(|field| {
            let value = HeaderValue::from_str(field).expect("a header value");
            (AUTHORIZATION, value)
        });
        bearer_token(&headers.collect()).map(|token| token.reveal().to_owned())
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_other_schemes_are_ignored() {
        for field in ["Bearer secret", "bearer secret", "BEARER   secret "] {
            assert_eq!(read(&[field]).as_deref(), Some("secret"), "{field}");
        }
        for field in ["", "Basic c2VjcmV0", "Bearerer secret", "Bear"] {
            assert_eq!(read(&[field]), None, "{field}");
        }
        assert_eq!(read(&[]), None);
        assert_eq!(
            read(&["Basic c2VjcmV0", "Bearer secret"]).as_deref(),
            Some("secret")
        );
    }

    #[test]
    fn a_malformed_or_repeated_token_is_the_token_of_nobody() {
        for fields in [&["Bearer"][..], &["Bearer "], &["Bearer one", "Bearer two"]] {
            assert_eq!(read(fields).as_deref(), Some(""), "{fields:?}");
        }
    }
}
