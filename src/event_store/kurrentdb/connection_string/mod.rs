//! Parses KurrentDB's connection strings. It accepts what the crate accepts, except for values
//! that make the crate panic or never connect.

mod invalid;
mod options;

use std::fmt;
use std::net::Ipv6Addr;
use std::time::Duration;

use kurrentdb::{ClientSettings, Credentials};
use percent_encoding::percent_decode_str;

pub use invalid::InvalidConnectionString;
use invalid::refused;
use options::Options;

/// The schemes that the crate accepts, each also with `+discover`.
const SCHEMES: [&str; 4] = ["esdb", "kurrentdb", "kurrent", "kdb"];

const DEFAULT_PORT: u16 = 2113;

/// How long a call may take if the string has no `defaultDeadline`. Longer than the two to three
/// seconds after which the server itself gives up a write.
const CALL_TIMEOUT: Duration = Duration::from_secs(4);

/// How long the server of a subscription may be silent before the connection is tested.
const SILENCE_LIMIT: Duration = Duration::from_secs(2);

/// A parsed connection string: where KurrentDB is, and how to connect to it.
#[derive(Clone)]
pub struct ConnectionString {
    settings: ClientSettings,
    credentials: Option<Credentials>,
    user: Option<String>,
    location: String,
    call_timeout: Duration,
}

impl ConnectionString {
    /// Whether the URL's scheme is one of KurrentDB's.
    pub fn has_known_scheme(url: &str) -> bool {
        url.split_once("://")
            .is_some_and(|(scheme, _)| is_known_scheme(&scheme.to_ascii_lowercase()))
    }

    pub(super) fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    pub(super) fn call_timeout(&self) -> Duration {
        self.call_timeout
    }

    /// How long the server may be silent before a subscription is tested. A silent server may
    /// have no events to send, or may be unreachable.
    pub(super) fn silence_limit(&self) -> Duration {
        self.call_timeout.min(SILENCE_LIMIT)
    }

    /// The name of the user, if the string has one.
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Adds the user's name and password to the options of a call, if the string has them. Only
    /// there does the crate accept a password with any characters.
    pub(super) fn authenticate<O>(&self, options: O, with: impl FnOnce(O, Credentials) -> O) -> O {
        match &self.credentials {
            Some(credentials) => with(options, credentials.clone()),
            None => options,
        }
    }

    /// The scheme and the hosts, without credentials and file paths.
    pub(super) fn location(&self) -> &str {
        &self.location
    }
}

/// Leaves out the settings and the credentials, because they contain the password.
impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionString")
            .field("location", &self.location)
            .field("call_timeout", &self.call_timeout)
            .finish_non_exhaustive()
    }
}

impl std::str::FromStr for ConnectionString {
    type Err = InvalidConnectionString;

    /// Parses the string and builds an unambiguous one for the crate. The crate does not decode
    /// credentials, reads `a,b,c:9999` as three hosts on port 2113, reads the slash in
    /// `a:1,b:2/?…` as another host, and replaces commas anywhere in the string.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| refused("a KurrentDB connection string begins with kurrentdb://"))?;
        let scheme = scheme.to_ascii_lowercase();
        if !is_known_scheme(&scheme) {
            return Err(refused(format!("{scheme}:// is not a scheme of KurrentDB")));
        }
        if rest.contains('#') {
            return Err(refused("a # in a connection string must be written as %23"));
        }
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before_query.split_once('/').unwrap_or((before_query, ""));
        if !path.is_empty() {
            return Err(refused(
                "a connection string cannot have a path; a / in a password must be written as %2F",
            ));
        }
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(User::parse(user)?), hosts),
            None => (None, authority),
        };
        let hosts = hosts
            .split(',')
            .map(|host| host_and_port(host, hosts.contains(',')))
            .collect::<Result<Vec<_>, _>>()?
            .join(",");
        let options = Options::parse(query)?;

        let location = format!("{scheme}://{hosts}");
        let user = credentials
            .as_ref()
            .and_then(User::as_is)
            .unwrap_or_default();
        let for_crate = format!("{scheme}://{user}{hosts}?{}", options.encoded());
        let settings = for_crate
            .parse()
            .map_err(|error: kurrentdb::ClientSettingsParseError| refused(error.message()))?;
        Ok(ConnectionString {
            settings,
            user: credentials.as_ref().map(|user| user.name.clone()),
            credentials: credentials.map(User::into_credentials),
            location,
            call_timeout: options.deadline.unwrap_or(CALL_TIMEOUT),
        })
    }
}

fn is_known_scheme(scheme: &str) -> bool {
    SCHEMES.contains(&scheme.strip_suffix("+discover").unwrap_or(scheme))
}

/// A user's name and password, decoded.
struct User {
    name: String,
    password: String,
}

impl User {
    fn parse(text: &str) -> Result<User, InvalidConnectionString> {
        let (name, password) = text.split_once(':').unwrap_or((text, ""));
        let decoded = |text| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map_err(|_| refused("user and password must be UTF-8 when decoded"))
        };
        let name = decoded(name)?.into_owned();
        if name.is_empty() || name.contains(':') {
            return Err(refused("the user's name is empty or contains a colon"));
        }
        Ok(User {
            name,
            password: decoded(password)?.into_owned(),
        })
    }

    /// Name and password for the crate's string, unless they contain characters that need
    /// encoding, because the crate does not decode them. The crate sends credentials with gossip
    /// only if they are in the string; servers rarely require that.
    fn as_is(&self) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        let is_fit = self.name.chars().chain(self.password.chars()).all(is_plain);
        is_fit.then(|| format!("{}:{}@", self.name, self.password))
    }

    fn into_credentials(self) -> Credentials {
        Credentials::new(self.name, self.password)
    }
}

fn host_and_port(text: &str, one_of_many: bool) -> Result<String, InvalidConnectionString> {
    let (host, port) = match text.rsplit_once(':') {
        // A bracket after the last colon: the colon belongs to an IPv6 address.
        Some((_, after)) if after.ends_with(']') => (text, None),
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let port = match port.map(str::parse::<u16>) {
        None => DEFAULT_PORT,
        Some(Ok(port)) if port > 0 => port,
        Some(_) => {
            let host = without_password(host);
            return Err(refused(format!("{host:?} has no valid port")));
        }
    };
    match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(address) if address.parse::<Ipv6Addr>().is_ok() && !one_of_many => {}
        Some(_) if one_of_many => {
            return Err(refused(
                "an IPv6 address can only be the single host: use host names for several hosts",
            ));
        }
        None if is_host_name(host) => {}
        Some(_) | None => {
            let host = without_password(host);
            return Err(refused(format!("{host:?} is not a valid host")));
        }
    }
    Ok(format!("{host}:{port}"))
}

/// What looks like a host may be `user:password`, if the host is missing or the password contains a
/// character that must be encoded.
fn without_password(host: &str) -> &str {
    match host.split_once(':') {
        Some((user, _)) if !host.starts_with('[') => user,
        Some(_) | None => host,
    }
}

/// The crate builds a URI from the host and panics when the URI is invalid.
fn is_host_name(host: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !host.is_empty() && host.chars().all(is_fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> ConnectionString {
        text.parse().expect("a good connection string")
    }

    fn hosts(text: &str) -> Vec<String> {
        let parsed = parsed(text);
        let hosts = parsed.settings().hosts().iter();
        hosts.map(|e| format!("{}:{}", e.host, e.port)).collect()
    }

    #[test]
    fn every_scheme_of_the_crate_is_understood() {
        for scheme in SCHEMES {
            assert!(ConnectionString::has_known_scheme(&format!("{scheme}://h")));
            assert!(
                !parsed(&format!("{scheme}://h"))
                    .settings()
                    .is_dns_discovery_enabled()
            );
            let discover = parsed(&format!("{}+discover://h", scheme.to_uppercase()));
            assert!(discover.settings().is_dns_discovery_enabled());
        }
        for other in ["sqlite://h", "memory:", "http://h", "kdb+srv://h", "kdb:h"] {
            assert!(!ConnectionString::has_known_scheme(other), "{other}");
            assert!(other.parse::<ConnectionString>().is_err(), "{other}");
        }
    }

    #[test]
    fn every_host_keeps_its_own_port() {
        assert_eq!(hosts("kdb://h?tls=false"), ["h:2113"]);
        assert_eq!(hosts("kdb://[::1]:7?tls=false"), ["[::1]:7"]);
        assert_eq!(hosts("kdb://a,b,c:9999"), ["a:2113", "b:2113", "c:9999"]);
        assert_eq!(hosts("kdb://a:1,b:2/?tls=false"), ["a:1", "b:2"]);
    }

    #[test]
    fn options_reach_the_crate_whatever_they_hold() {
        let parsed = parsed("kdb://a:1,b:2?TLS=false&tlsCaFile=/x%2Cy,z.pem&maxDiscoverAttempts=7");
        assert!(!parsed.settings().is_secure_mode_enabled());
        assert_eq!(
            parsed.settings().tls_ca_file(),
            Some(&"/x,y,z.pem".to_owned())
        );
        assert_eq!(parsed.settings().max_discover_attempts(), 7);
    }

    #[test]
    fn credentials_are_decoded_and_stay_secret() {
        let parsed = parsed("kdb://ada%20l:p%40s%2Fs:w%3Fo%C3%A4@h:1?tls=false");
        assert_eq!(
            parsed.credentials,
            Some(Credentials::new("ada l", "p@s/s:w?oä"))
        );
        assert_eq!(parsed.location(), "kdb://h:1");
        assert!(!format!("{parsed:?}").contains("p@s"));
    }

    #[test]
    fn plain_credentials_are_the_clients_too() {
        let parsed = parsed("kdb://ada:secret@a:1,b:2");
        let credentials = Some(Credentials::new("ada", "secret"));
        assert_eq!(parsed.credentials, credentials);
        assert_eq!(parsed.settings().default_authenticated_user(), &credentials);
    }

    #[test]
    fn what_would_hang_or_panic_is_refused_with_its_reason() {
        for (text, reason) in [
            ("kdb://h?maxDiscoverAttempts=1", "2 or more"),
            ("kdb://h?gossipTimeout=5", "milliseconds"),
            ("kdb://h?defaultDeadline=-1", "milliseconds"),
            ("kdb://h?defaultDeadline=99999999999", "milliseconds"),
            ("kdb://h?connectionName=%C3%A4", "ASCII"),
            ("kdb://h?connectionName=a%0Ab", "ASCII"),
            ("kdb://", "valid host"),
            ("kdb://a,,b", "valid host"),
            ("kdb://ho%20st", "valid host"),
            ("kdb://h:0", "port"),
            ("kdb://h:99999", "port"),
            ("kdb://[::1],[::2]", "IPv6"),
            ("kdb://h/path", "path"),
            ("kdb://u:pa#ss@h", "%23"),
            ("kdb://:p@h", "user"),
            ("kdb://h?tls=no", "tls"),
            ("kdb://h?userCertFile=/x", "userKeyFile"),
            ("kdb://h?nodePreference=x", "preference"),
            ("kdb://h?keepAliveInterval=-7", "keepAlive"),
        ] {
            let error = text.parse::<ConnectionString>().expect_err(text);
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn no_error_repeats_the_password() {
        for text in [
            "kdb://u:secret@a:1,b:2?userKeyFile=x",
            "kdb://u:secret@h:x",
            "kdb://u:sec/secret@h",
            "kdb://u:secret@h?tls=no",
        ] {
            let error = text.parse::<ConnectionString>().expect_err(text);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_deadline_bounds_calls_here_too() {
        assert_eq!(parsed("kdb://h").call_timeout(), CALL_TIMEOUT);
        let short = parsed("kdb://h?defaultDeadline=250");
        assert_eq!(short.call_timeout(), Duration::from_millis(250));
    }
}
