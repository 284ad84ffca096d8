//! `motif gateway`: running and operating a gateway.

mod admin;
mod preparation;
mod serve;
mod settings;
mod supervisor;

use clap::{Args, Subcommand};
use motif_gateway::config::{effective, example};
use serde::Serialize;

use crate::{error::CliError, output, session::Session};
use settings::SettingsArgs;

/// Commands of `motif gateway`.
#[derive(Subcommand)]
pub enum GatewayCommand {
    /// Run a gateway until Ctrl-C
    Serve(Box<serve::ServeArgs>),
    /// Validate a gateway's settings, offline
    Check(Box<CheckArgs>),
    /// Create, list and revoke API keys
    #[command(subcommand)]
    ApiKey(admin::ApiKeyCommand),
    /// Check vouchers, statements and receipts against the chain
    Reconcile(admin::ReconcileArgs),
    /// Report usage and revenue by work, day, platform, channel or API key
    Usage(admin::UsageArgs),
    /// Print the OpenAPI document of the HTTP interface
    Openapi(OpenapiArgs),
}

/// Arguments of `motif gateway check`.
#[derive(Args)]
pub struct CheckArgs {
    /// Print a settings file with every setting and its default instead
    #[arg(long)]
    example: bool,

    #[command(flatten)]
    settings: SettingsArgs,
}

/// Arguments of `motif gateway openapi`.
#[derive(Args)]
pub struct OpenapiArgs {
    /// Print the document of the admin listener
    #[arg(long)]
    admin: bool,
}

impl GatewayCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Serve(args) => serve::run(*args, session).await,
            Self::Check(args) => check(*args, session),
            Self::ApiKey(command) => command.run(session).await,
            Self::Reconcile(args) => admin::reconcile(&args, session).await,
            Self::Usage(args) => admin::usage(&args, session).await,
            Self::Openapi(args) => openapi(&args, session),
        }
    }
}

/// Output of `motif gateway check`.
#[derive(Serialize)]
struct CheckOutput {
    good: bool,
    warnings: Vec<String>,
    #[serde(skip)]
    config: String,
}

fn check(args: CheckArgs, session: &Session) -> Result<(), CliError> {
    if args.example {
        output::print_text(example().trim_end());
        return Ok(());
    }
    let (config, layers) = args.settings.read_layers(session).map_err(CliError::GatewaySettings)?;
    let routes = config.paywall.iter().flat_map(|paywall| paywall.paywall.routes.warnings());
    let routes = routes.map(|warning| format!("{} {}", warning.key, warning.what));
    let warnings = config.warnings().iter().map(ToString::to_string).chain(routes).collect();
    session.print(&CheckOutput { good: true, warnings, config: effective(&layers) });
    Ok(())
}

impl std::fmt::Display for CheckOutput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "# The settings are valid.\n{}", self.config.trim_end())?;
        self.warnings.iter().try_for_each(|warning| write!(formatter, "\n# warning: {warning}"))
    }
}

/// Prints the document on one line with `--json`, else indented.
fn openapi(args: &OpenapiArgs, session: &Session) -> Result<(), CliError> {
    let document =
        if args.admin { motif_gateway::admin_openapi() } else { motif_gateway::openapi() };
    let text = if session.json { document.to_json() } else { document.to_pretty_json() };
    let text = text.map_err(|error| CliError::DocumentUnwritable(error.to_string()))?;
    output::print_text(text);
    Ok(())
}
