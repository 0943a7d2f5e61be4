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
pub use traces::{Traces, TracesError};
pub(crate) use traces::{continue_trace, store_call_span, trace_status};
