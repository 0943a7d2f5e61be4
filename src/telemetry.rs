//! Logs.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// A log filter that does not parse.
#[derive(Debug, thiserror::Error)]
#[error("--log (RUST_LOG): {0}")]
pub struct InvalidLogFilter(#[from] tracing_subscriber::filter::ParseError);

/// Starts writing logs to standard output, in colour on a terminal. To be called once.
pub fn init(format: LogFormat, filter: &str) -> Result<(), InvalidLogFilter> {
    let logs = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_ansi(io::stdout().is_terminal());
    match format {
        LogFormat::Text => logs.with_target(false).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    Ok(())
}
