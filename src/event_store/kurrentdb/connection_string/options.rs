//! The options of a connection string, parsed as the crate parses them.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::invalid::{InvalidConnectionString, refused};

/// The allowed values of `defaultDeadline`, in milliseconds.
const DEADLINES: std::ops::RangeInclusive<u64> = 1..=600_000;

/// The crate sleeps this long before every first connection attempt. Its default of 500 ms would
/// delay every recovery. The supervisor makes the pauses between attempts.
const DISCOVERY_INTERVAL_MS: &str = "10";

/// The part after the question mark, decoded in the same way as the crate decodes it.
pub(super) struct Options {
    pairs: Vec<(String, String)>,
    pub(super) deadline: Option<Duration>,
}

impl Options {
    pub(super) fn parse(query: &str) -> Result<Options, InvalidConnectionString> {
        let mut options = Options {
            pairs: Vec::new(),
            deadline: None,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value)
                .decode_utf8()
                .map_err(|_| refused(format!("the value of {name} is not UTF-8 when decoded")))?;
            let name = name.to_ascii_lowercase();
            options.check(&name, &value)?;
            options.pairs.push((name, value.into_owned()));
        }
        if !options
            .pairs
            .iter()
            .any(|(name, _)| name == "discoveryinterval")
        {
            options.pairs.push((
                "discoveryinterval".to_owned(),
                DISCOVERY_INTERVAL_MS.to_owned(),
            ));
        }
        Ok(options)
    }

    /// Refuses values that the crate accepts but that make it panic or never connect. The crate
    /// itself refuses other invalid values.
    fn check(&mut self, name: &str, value: &str) -> Result<(), InvalidConnectionString> {
        match name {
            "maxdiscoverattempts" if matches!(value.parse(), Ok(0_u64 | 1)) => Err(refused(
                "maxDiscoverAttempts must be 2 or more: with less, the client never connects",
            )),
            "gossiptimeout" if matches!(value.parse(), Ok(0_u64..100)) => Err(refused(
                "gossipTimeout is in milliseconds and must be 100 or more",
            )),
            "defaultdeadline" => match value.parse() {
                Ok(deadline) if DEADLINES.contains(&deadline) => {
                    self.deadline = Some(Duration::from_millis(deadline));
                    Ok(())
                }
                Ok(_) | Err(_) => Err(refused(format!(
                    "defaultDeadline is in milliseconds and must be from {} to {}",
                    DEADLINES.start(),
                    DEADLINES.end()
                ))),
            },
            "connectionname" if !value.chars().all(|c| matches!(c, ' '..='~')) => Err(refused(
                "connectionName is sent in a header and must be printable ASCII",
            )),
            _ => Ok(()),
        }
    }

    /// Encodes the options for the crate. Commas are encoded too, because it would replace them.
    pub(super) fn encoded(&self) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        self.pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect::<Vec<_>>()
            .join("&")
    }
}
