//! Which redirects are followed, and where the service is after one that is not.

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, Url};

use super::problem::ClientError;

/// Follows only redirects that keep the method and the body: after a 301, 302 or 303, a POST would be
/// sent as a GET.
pub(super) fn policy() -> Policy {
    Policy::custom(|attempt| match attempt.status() {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            Policy::default().redirect(attempt)
        }
        _ => attempt.stop(),
    })
}

/// The error of a response that redirects; `None` if it does not. `base` is the URL of the service.
pub(super) fn redirected(base: &Url, response: &Response) -> Option<ClientError> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let location = response.url().join(location).ok()?;
    let service = service_at(base, response.url(), &location);
    let location = location.into();
    Some(ClientError::Redirected { location, service })
}

/// The URL of the service that has the requested resource at this location. If the location has another
/// name for the resource, the location itself.
fn service_at(base: &Url, requested: &Url, location: &Url) -> String {
    let mut service = location.clone();
    service.set_query(None);
    service.set_fragment(None);
    let resource = requested.path().strip_prefix(base.path());
    let path = location.path().trim_end_matches('/');
    let path = resource.and_then(|resource| path.strip_suffix(resource));
    if let Some(path) = path.filter(|path| path.ends_with('/')) {
        service.set_path(path);
    }
    service.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn the_service_is_found_by_the_path_of_the_requested_resource() {
        for (base, requested, location, service) in [
            ("http://a/", "livez", "https://a/livez", "https://a"),
            (
                "http://a/",
                "livez",
                "http://b:1/four/livez/",
                "http://b:1/four",
            ),
            (
                "http://a/four/",
                "games/1?revision=2",
                "https://a/four/games/1",
                "https://a/four",
            ),
            ("http://a/", "livez", "https://b/?next=livez", "https://b"),
            (
                "http://a/",
                "livez",
                "https://b/log-in#x",
                "https://b/log-in",
            ),
            (
                "http://a/",
                "livez",
                "https://b/not-livez",
                "https://b/not-livez",
            ),
        ] {
            let requested = url(&format!("{base}{requested}"));
            assert_eq!(service_at(&url(base), &requested, &url(location)), service);
        }
    }
}
