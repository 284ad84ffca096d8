//! `motif`: register works, license them, pay per generation, settle, claim.

mod amount;
mod answer;
mod args;
mod decoding;
mod error;
mod instant;
mod reference;
mod rendering;
mod session;
mod stopping;
mod words;

mod airdrop;
mod approve;
mod authenticate;
mod channel;
mod claim;
mod completions;
mod config;
mod consent;
mod credentials;
#[cfg(feature = "localnet")]
mod demo;
mod dispute;
mod earnings;
mod gateway;
mod generate;
mod key;
#[cfg(feature = "localnet")]
mod localnet;
mod receipt;
mod revoke;
mod settle;
mod split;
mod terms;
mod till;
mod work;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::{
    args::{Cli, Command},
    error::CliError,
    session::Session,
};

/// A gateway takes memory on the threads that answer and gives it back on those that write, which
/// costs the system's allocator much of a paid request's time (`docs/figures/gateway.md`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misuse(&error),
    };
    if let Command::DecodeWorker { anchors } = &cli.command {
        return decoding::serve(anchors.as_deref()); // before there is a thread or a file to take along
    }
    let session = Session::new(&cli.common);
    session.log();
    match run(cli, &session) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            session.report(&error);
            error.exit_code()
        }
    }
}

fn run(cli: Cli, session: &Session) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::NoRuntime(error.to_string()))?;
    let ended = runtime.block_on(cli.command.run(session));
    runtime.shutdown_background(); // a localnet that did not stop must not hold the answer back
    ended
}

/// Help and version are answers; everything else clap says is a mistake in the command line.
fn misuse(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && wants_json {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or("wrong usage").trim_start_matches("error: ");
        answer::print_json(&answer::error_json("usage", message, Some("see --help")));
    } else if error.print().is_err() {
        return ExitCode::FAILURE; // nobody is reading
    }
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
