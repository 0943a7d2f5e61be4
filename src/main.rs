//! The `connect-four` program.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use connect_four::config::{Cli, Command, ServeSettings};
use connect_four::{health, rebuild, server, telemetry, terminal};

/// Requests allocate on one thread what another frees, over which glibc's arenas contend.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().into_command() {
        Command::Serve(settings) => serve(&settings).await,
        Command::Rebuild(settings) => rebuild::run(&settings).await.map_err(Into::into),
        Command::Health { url } => health::check(&url).await.map_err(Into::into),
        Command::Play(settings) => terminal::play(&settings).await.map_err(Into::into),
        Command::Watch(settings) => terminal::watch(&settings).await.map_err(Into::into),
        Command::Replay(settings) => terminal::replay(&settings).await.map_err(Into::into),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell about a standard error that cannot be written to.
            let _ = writeln!(std::io::stderr(), "connect-four: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How long the last log lines may take when the service stops.
const LAST_LINES: Duration = Duration::from_millis(500);

async fn serve(settings: &ServeSettings) -> Result<(), Box<dyn Error>> {
    let logs = telemetry::init(settings.log_format, &settings.log)?;
    let served = server::run(settings).await;
    logs.flush(LAST_LINES);
    Ok(served?)
}
