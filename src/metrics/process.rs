//! Figures about the process, under the names that Prometheus' own client libraries use.

use std::fmt;

use procfs::process::{LimitValue, Process as Proc};
use procfs::{ProcResult, boot_time_secs, page_size, ticks_per_second};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads the figures of this process at each scrape.
#[derive(Debug)]
pub(super) struct Process;

struct Figures {
    cpu_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    open_descriptors: u64,
    most_descriptors: Option<u64>,
    start_time: f64,
}

fn read() -> ProcResult<Figures> {
    let process = Proc::myself()?;
    let stat = process.stat()?;
    let ticks = ticks_per_second() as f64;
    let most = process.limits()?.max_open_files.soft_limit;
    Ok(Figures {
        cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
        resident_bytes: stat.rss * page_size(),
        virtual_bytes: stat.vsize,
        open_descriptors: process.fd_count()? as u64,
        most_descriptors: match most {
            LimitValue::Value(most) => Some(most),
            LimitValue::Unlimited => None,
        },
        start_time: boot_time_secs()? as f64 + stat.starttime as f64 / ticks,
    })
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let figures = match read() {
            Ok(figures) => figures,
            Err(error) => {
                tracing::debug!(%error, "the figures of the process cannot be read");
                return Ok(());
            }
        };
        let mut add = |name, help, metric: &dyn Figure| metric.add(&mut encoder, name, help);
        add(
            "process_cpu_seconds",
            "Time that the process has spent on processors, in user and system mode",
            &ConstCounter::new(figures.cpu_seconds),
        )?;
        let whole = |figure| ConstGauge::new(i64::try_from(figure).unwrap_or(i64::MAX));
        add(
            "process_resident_memory_bytes",
            "Memory of the process that is not swapped out",
            &whole(figures.resident_bytes),
        )?;
        add(
            "process_virtual_memory_bytes",
            "Size of the address space of the process",
            &whole(figures.virtual_bytes),
        )?;
        add(
            "process_open_fds",
            "Open file descriptors",
            &whole(figures.open_descriptors),
        )?;
        if let Some(most) = figures.most_descriptors {
            add(
                "process_max_fds",
                "Most file descriptors that the process may open",
                &whole(most),
            )?;
        }
        add(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970",
            &ConstGauge::new(figures.start_time),
        )
    }
}

/// A metric with one value.
trait Figure {
    fn add(&self, to: &mut DescriptorEncoder<'_>, name: &str, help: &str)
    -> Result<(), fmt::Error>;
}

impl<M: EncodeMetric> Figure for M {
    fn add(
        &self,
        to: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
    ) -> Result<(), fmt::Error> {
        self.encode(to.encode_descriptor(name, help, None, self.metric_type())?)
    }
}
