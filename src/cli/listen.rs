//! The address that the service listens on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// An IP address or a host name, and a port. Host names are resolved when the service starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress(String);

/// A text that is not the address of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use ADDRESS:PORT, for example 127.0.0.1:8080, [::1]:8080 or localhost:8080")]
pub struct InvalidListenAddress;

impl ListenAddress {
    /// The URL at which a process on this machine reaches the service, without a path: an address
    /// that means every interface is replaced by loopback. `None` for port 0, since the system
    /// chooses the port then.
    pub fn local_url(&self) -> Option<String> {
        let (_, port) = self.0.rsplit_once(':')?;
        if port.parse() == Ok(0) {
            return None;
        }
        let Ok(address) = self.0.parse::<SocketAddr>() else {
            return Some(format!("http://{}", self.0));
        };
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        Some(format!("http://{}", SocketAddr::new(ip, address.port())))
    }
}

impl FromStr for ListenAddress {
    type Err = InvalidListenAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_in_names = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
        let names_a_host = text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && host.chars().all(is_in_names) && port.parse::<u16>().is_ok()
        });
        match names_a_host || text.parse::<SocketAddr>().is_ok() {
            true => Ok(ListenAddress(text.to_owned())),
            false => Err(InvalidListenAddress),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_url_of_every_interface_is_loopback() {
        for (listen, url) in [
            ("0.0.0.0:8080", Some("http://127.0.0.1:8080")),
            ("[::]:80", Some("http://[::1]:80")),
            ("10.1.2.3:8080", Some("http://10.1.2.3:8080")),
            ("localhost:8080", Some("http://localhost:8080")),
            ("127.0.0.1:0", None),
            ("localhost:0", None),
        ] {
            let address: ListenAddress = listen.parse().expect("an address");
            assert_eq!(address.local_url().as_deref(), url, "{listen}");
            assert_eq!(address.to_string(), listen);
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for text in [
            "",
            "8080",
            ":8080",
            "localhost",
            "localhost:",
            "localhost:http",
            "localhost:65536",
            "::1:8080",
            "[localhost]:8080",
            "http://localhost:8080",
            "local host:8080",
        ] {
            assert_eq!(text.parse::<ListenAddress>(), Err(InvalidListenAddress));
        }
    }
}
