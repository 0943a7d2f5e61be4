//! The `Host` field (RFC 9112, 3.2).

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Version};

use crate::http::problem::{Problem, ProblemType};

/// Refuses a request with several `Host` fields or an invalid one, and an HTTP/1.1 request without one. HTTP/1.0
/// does not require the field, and HTTP/2 has `:authority` instead. Proxies choose the service by this field, so
/// two hops that read it differently may send a request to the wrong one.
pub(crate) fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let mut fields = headers.get_all(HOST).iter();
    let detail = match (fields.next(), fields.next()) {
        (Some(host), None) if is_host(host) => return Ok(()),
        (None, None) if version != Version::HTTP_11 => return Ok(()),
        (Some(_), None) => "The Host field is not a host name with an optional port. Correct it.",
        (Some(_), Some(_)) => "The request has several Host fields. Send exactly one.",
        (None, _) => "The request has no Host field, which HTTP/1.1 requires. Send exactly one.",
    };
    Err(Problem::new(ProblemType::MalformedRequest, detail))
}

/// The field is empty when the target URI has no authority (RFC 9112, 3.2).
fn is_host(field: &HeaderValue) -> bool {
    let field = field.as_bytes();
    field.is_empty() || (!field.contains(&b'@') && Authority::try_from(field).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(version: Version, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().expect("a field value"));
        }
        check_host(version, &headers).is_ok()
    }

    #[test]
    fn http_1_1_needs_exactly_one_valid_host() {
        for host in ["localhost", "localhost:8080", "[::1]:8080", "127.0.0.1", ""] {
            assert!(is_accepted(Version::HTTP_11, &[host]), "{host:?}");
        }
        for hosts in [
            &[][..],
            &["a", "a"],
            &["a b"],
            &["ada@localhost"],
            &["http://localhost"],
        ] {
            assert!(!is_accepted(Version::HTTP_11, hosts), "{hosts:?}");
        }
    }

    #[test]
    fn other_versions_need_no_host_but_never_have_several() {
        for version in [Version::HTTP_10, Version::HTTP_2] {
            assert!(is_accepted(version, &[]));
            assert!(is_accepted(version, &["a"]));
            assert!(!is_accepted(version, &["a", "b"]));
        }
    }
}
