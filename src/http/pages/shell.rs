//! What all pages share: the URLs of their files and the content security policy.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use super::assets::{NO_SNIFF, folder};
use crate::http::documents::page::escape;
use crate::http::problem::Problem;
use crate::http::response::text;

const PROBLEM: &str = include_str!("../../../web/problem.html");

/// Scripts and styles are files of this service. Nothing is inline, and scripts cannot insert text as HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// A page of `web/`. Each place in it is replaced by its text, which must be HTML already. Browsers request the page
/// again each time, because the next version of the service has other scripts.
pub(crate) fn page<'a>(
    template: &str,
    places: impl IntoIterator<Item = (&'a str, String)>,
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Response {
    let mut html = template.replace("{assets}", &folder());
    for (place, content) in places {
        html = html.replace(place, &content);
    }
    let headers = headers.into_iter().chain([
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (VARY, HeaderValue::from_static("accept")),
        NO_SNIFF,
    ]);
    text(headers, "text/html; charset=utf-8", html)
}

/// A problem as a page.
pub(crate) fn problem_page(problem: &Problem) -> Response {
    let problem_type = problem.problem_type();
    let places = [
        ("{title}", escape(problem_type.title())),
        ("{detail}", escape(problem.detail())),
        ("{slug}", problem_type.slug().to_owned()),
    ];
    let mut response = page(PROBLEM, places, []);
    *response.status_mut() = problem_type.status();
    let headers = response.headers_mut();
    headers.extend(problem.headers());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
