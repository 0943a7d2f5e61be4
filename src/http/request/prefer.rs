//! `Prefer: wait=n` (RFC 7240): how long the client is willing to wait.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::list::{elements, split_unquoted};
use super::position::EVENT_POSITION;
use axum::http::request::Parts;

const PREFER: HeaderName = HeaderName::from_static("prefer");

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// In seconds. A longer wait is cut to this, and `Preference-Applied` says so.
const LONGEST_WAIT: u64 = 30;

/// How many seconds the request may wait for a newer response. `None` if the client does not ask to wait, or
/// sends nothing to compare with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait(Option<u64>);

impl Wait {
    /// The wait of a request with this method and these fields. `If-None-Match` waits for something newer, and
    /// `Event-Position` for the client's own write.
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Wait {
        let can_wait = method.is_safe()
            && [IF_NONE_MATCH, EVENT_POSITION]
                .iter()
                .any(|field| headers.contains_key(field));
        Wait(if can_wait { preferred(headers) } else { None })
    }

    pub(crate) fn seconds(self) -> Option<u64> {
        self.0
    }

    /// The time by which the wait extends the handler's timeout.
    pub(crate) fn allowance(self) -> Duration {
        Duration::from_secs(self.0.unwrap_or(0))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Wait {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // A game is always current, so `Event-Position` has nothing to wait for.
        // With `If-Match` it would wait until that is false.
        let can_wait =
            head.headers.contains_key(IF_NONE_MATCH) && !head.headers.contains_key(IF_MATCH);
        Ok(match can_wait {
            true => Wait::of(&head.method, &head.headers),
            false => Wait(None),
        })
    }
}

/// `Preference-Applied` with the number of seconds that was granted (RFC 7240, 3).
pub(crate) fn preference_applied(seconds: u64) -> (HeaderName, HeaderValue) {
    let applied = HeaderValue::try_from(format!("wait={seconds}"));
    let applied = applied.expect("digits are a header value");
    (PREFERENCE_APPLIED, applied)
}

/// The seconds of the first `wait` preference (RFC 7240, 2: later ones do not count). A value that is not a
/// number is ignored.
fn preferred(headers: &HeaderMap) -> Option<u64> {
    let preferences = elements(headers, PREFER);
    let mut named = preferences.filter_map(|preference| {
        let preference = split_unquoted(preference, ';').next()?;
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| value.trim())
    });
    let value = named.next()?;
    let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let digits = quoted.unwrap_or(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // A number that overflows is cut like any other long wait.
    is_number.then(|| digits.parse().unwrap_or(u64::MAX).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(fields: &[&'static str]) -> Option<u64> {
        let fields = fields.iter().map(|field| HeaderValue::from_static(field));
        preferred(&fields.map(|field| (PREFER, field)).collect())
    }

    #[test]
    fn a_wait_is_found_among_other_preferences() {
        assert_eq!(seconds(&["wait=7"]), Some(7));
        assert_eq!(seconds(&["respond-async, Wait = \"7\"; x=y"]), Some(7));
        assert_eq!(seconds(&["respond-async", "foo; bar, wait=0"]), Some(0));
        assert_eq!(seconds(&["x=\"a, wait=3\", y=\"\\\", wait=4\""]), None);
        assert_eq!(seconds(&["x=\"\\\"\", wait=5"]), Some(5));
        assert_eq!(seconds(&[",, ", " , wait=6,"]), Some(6));
        assert_eq!(seconds(&["handling=lenient"]), None);
        assert_eq!(seconds(&[]), None);
    }

    #[test]
    fn only_the_first_wait_counts() {
        assert_eq!(seconds(&["wait=7, wait=8"]), Some(7));
        assert_eq!(seconds(&["wait=7", "wait=8"]), Some(7));
        assert_eq!(seconds(&["wait=soon, wait=8"]), None);
    }

    #[test]
    fn a_wait_is_a_number_of_seconds_and_cut_to_thirty() {
        for (field, told) in [
            ("wait=30", Some(30)),
            ("wait=31", Some(30)),
            ("wait=99999999999999999999999", Some(30)),
            ("wait", None),
            ("wait=", None),
            ("wait=-1", None),
            ("wait=+1", None),
            ("wait=1.5", None),
            ("wait=\"", None),
        ] {
            assert_eq!(seconds(&[field]), told, "{field}");
        }
    }
}
