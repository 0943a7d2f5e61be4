//! What the process tells about itself while it runs: log lines, and traces if it was compiled with the
//! feature `otlp`.

mod logs;
#[cfg(not(feature = "otlp"))]
mod no_traces;
#[cfg(feature = "otlp")]
mod traces;

#[cfg(not(feature = "otlp"))]
use no_traces as traces;

pub use logs::{LogFormat, Logs, TelemetryError, init};
pub(crate) use traces::{ClientTrace, store_call, trace_status};
pub use traces::{Traces, TracesError};
