//! `motif`: register works, license them, pay per generation, settle and claim.

mod amount;
mod cli;
mod common_args;
mod currency;
mod decode_worker;
mod error;
mod files;
mod output;
mod palette;
mod qr;
mod reference;
mod session;
mod solana_config;
mod time;

mod approval;
mod audit;
mod authenticate;
mod channel;
mod completions;
mod config;
mod consent;
mod credentials;
#[cfg(feature = "localnet")]
mod demo;
mod dispute;
mod earned;
mod earnings;
mod events;
mod gateway;
mod generate;
mod key;
mod key_serve;
#[cfg(feature = "localnet")]
mod localnet;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(feature = "localnet")]
mod model_server;
mod operator;
mod pay;
mod payer;
mod person;
mod receipt;
mod sale;
mod sale_receipt;
mod split;
mod terms;
mod till;
#[cfg(feature = "localnet")]
mod up;
mod webhook;
mod work;

use std::{process::ExitCode, sync::Arc};

use clap::{CommandFactory, Parser, error::ErrorKind};
use mimalloc::MiMalloc;

use crate::{
    cli::{Cli, Command},
    error::CliError,
    output::ErrorOutput,
    session::Session,
};

/// A gateway allocates on the threads that answer requests and frees on those that write, a pattern
/// that costs much of a paid request's time with the system's allocator (`docs/figures/gateway.md`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return report_parse_error(&error),
    };
    if let Command::DecodeWorker { anchors, attempt } = &cli.command {
        // Before any thread starts or file opens, which the worker would otherwise inherit.
        return match attempt {
            Some(file) => decode_worker::attempt_escapes(file),
            None => decode_worker::serve(anchors.as_deref()),
        };
    }
    let session = Arc::new(Session::new(&cli.common));
    session.init_logging();
    match run(cli.command, &session) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            session.report(&error);
            error.exit_code()
        }
    }
}

fn run(command: Command, session: &Arc<Session>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::Runtime(error.to_string()))?;
    let result = runtime.block_on(dispatch(command, session));
    runtime.shutdown_background(); // returns even if a localnet's threads still run
    result
}

async fn dispatch(command: Command, session: &Arc<Session>) -> Result<(), CliError> {
    match command {
        #[cfg(feature = "localnet")]
        Command::Demo(args) => demo::run(args, session).await,
        #[cfg(feature = "localnet")]
        Command::ModelServer(args) => model_server::run(&args, session).await,
        #[cfg(feature = "localnet")]
        Command::Up(args) => up::run(args, session).await,
        #[cfg(feature = "localnet")]
        Command::Localnet(args) => localnet::run(args, session).await,
        Command::Key(command) => command.run(session).await,
        Command::Work(command) => command.run(session).await,
        Command::Terms(command) => command.run(session).await,
        Command::Approval(command) => command.run(session).await,
        Command::Split(command) => command.run(session).await,
        Command::Consent(command) => command.run(session).await,
        Command::Dispute(command) => command.run(session).await,
        Command::Channel(command) => command.run(session).await,
        Command::Generate(args) => generate::run(args, session).await,
        Command::Pay(args) => pay::run(*args, session).await,
        Command::Payer(command) => command.run(session).await,
        Command::Receipt(command) => command.run(session).await,
        Command::Earnings(command) => command.run(session).await,
        Command::Events(args) => events::run(args, session).await,
        Command::Webhook(command) => command.run(session).await,
        Command::Sale(command) => command.run(session).await,
        Command::Till(command) => command.run(session).await,
        Command::Authenticate(args) => authenticate::run(args, session).await,
        Command::Credentials(command) => command.run(session).await,
        Command::Gateway(command) => command.run(session).await,
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => mcp::run(args, session.clone()).await,
        Command::Operator(command) => command.run(session).await,
        Command::Config(command) => command.run(session).await,
        Command::Completions(args) => {
            completions::print(&args, &mut Cli::command());
            Ok(())
        }
        Command::DecodeWorker { .. } => Ok(()), // served in `main`
    }
}

/// Returns the text of an error of which clap does not name the argument.
fn named(error: &clap::Error) -> Option<String> {
    let mut arguments = std::env::args_os();
    let wrong = arguments.find(|argument| argument.to_str().is_none())?;
    let what = format!("the argument {wrong:?} is not UTF-8: rename the file, or pass an address");
    (error.kind() == ErrorKind::InvalidUtf8).then_some(what)
}

/// Prints help and version as they are, and every other parse error as JSON with `--json`.
fn report_parse_error(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && wants_json {
        let text = named(error).unwrap_or_else(|| error.render().to_string());
        let message = text.lines().next().unwrap_or("invalid usage").trim_start_matches("error: ");
        output::print_json(&ErrorOutput::new("usage", message, Some("see --help")));
    } else if let Some(text) = named(error) {
        eprintln!("error: {text}");
    } else if error.print().is_err() {
        return ExitCode::FAILURE; // the output is closed
    }
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
