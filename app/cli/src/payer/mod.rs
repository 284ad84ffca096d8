//! `motif payer`: a local service that pays for clients of any language.

mod serve;
mod settings;

use clap::{Args, Subcommand};
use motif_payer_service::Settings;
use serde::Serialize;

use crate::{error::CliError, output, session::Session};

pub use settings::{PayerState, SettingsArgs};

/// Commands of `motif payer`.
#[derive(Subcommand)]
pub enum PayerCommand {
    /// Run the service until Ctrl-C: a forward proxy that pays, and a JSON interface
    Serve(Box<serve::ServeArgs>),
    /// Validate the service's settings, offline
    Check(Box<CheckArgs>),
}

/// Arguments of `motif payer check`.
#[derive(Args)]
pub struct CheckArgs {
    /// Print a settings file with every setting and its default instead
    #[arg(long)]
    example: bool,

    #[command(flatten)]
    settings: SettingsArgs,
}

/// Output of `motif payer check`.
#[derive(Serialize)]
struct CheckOutput {
    good: bool,
    warnings: Vec<String>,
}

impl PayerCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Serve(args) => serve::run(*args, session).await,
            Self::Check(args) => check(*args, session),
        }
    }
}

fn check(args: CheckArgs, session: &Session) -> Result<(), CliError> {
    if args.example {
        output::print_text(Settings::EXAMPLE.trim_end());
        return Ok(());
    }
    let settings = args.settings.read()?;
    session.print(&CheckOutput { good: true, warnings: settings.warnings() });
    Ok(())
}

impl std::fmt::Display for CheckOutput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the settings are valid")?;
        self.warnings.iter().try_for_each(|warning| write!(formatter, "\nwarning: {warning}"))
    }
}
