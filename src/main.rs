//! The `connect-four` program.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use connect_four::config::{Cli, Command};
use connect_four::{server, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve(settings) = Cli::parse().into_command();
    let outcome = async {
        telemetry::init(settings.log_format, &settings.log)?;
        server::run(&settings).await?;
        Ok::<_, Box<dyn Error>>(())
    };
    match outcome.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell about a standard error that cannot be written to.
            let _ = writeln!(std::io::stderr(), "connect-four: {error}");
            ExitCode::FAILURE
        }
    }
}
