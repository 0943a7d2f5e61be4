//! The `connect-four` program.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use connect_four::cli::{Cli, Command, copy, forget_game, health, rebuild, serve};
use connect_four::drawing::Printable;
use connect_four::terminal;

/// Requests allocate on one thread what another frees, over which glibc's arenas contend.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome: Result<(), Box<dyn Error>> = match Cli::from_arguments().into_command() {
        Command::Serve(settings) => serve::run(&settings).await.map_err(Into::into),
        Command::Rebuild(settings) => rebuild::run(&settings).await.map_err(Into::into),
        Command::ForgetGame(settings) => forget_game::run(&settings).await.map_err(Into::into),
        Command::Copy(settings) => copy::run(&settings).await.map_err(Into::into),
        Command::Health(settings) => health::check(&settings).await.map_err(Into::into),
        Command::Play(settings) => terminal::play(&settings).await.map_err(Into::into),
        Command::Watch(settings) => terminal::watch(&settings).await.map_err(Into::into),
        Command::Replay(settings) => terminal::replay(&settings).await.map_err(Into::into),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The text may come from a server.
            let text = error.to_string();
            // Nothing is left to tell about a standard error that cannot be written to.
            let _ = writeln!(std::io::stderr(), "connect-four: {}", Printable(&text));
            ExitCode::from(copy::exit_code(&*error))
        }
    }
}
