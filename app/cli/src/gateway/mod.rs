//! Gateways: running one, looking after it, and what its interface is.

mod admin;
mod api_key;
mod check;
mod openapi;
mod reconcile;
mod serve;
mod settings;
mod usage;

use clap::Subcommand;

use crate::{error::CliError, session::Session};

/// What can be done with gateways.
#[derive(Subcommand)]
pub enum GatewayCommand {
    /// Meter generations, store every voucher before answering, and settle; Ctrl-C stops it.
    Serve(Box<serve::ServeArgs>),
    /// Say everything that is wrong with a gateway's settings, without running it.
    Check(Box<check::CheckArgs>),
    /// API keys: make, list and revoke them.
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Hold vouchers, statements, receipts and the chain against each other, to the unit.
    Reconcile(reconcile::ReconcileArgs),
    /// What was used and spent, by work, day, platform, channel or API key.
    Usage(usage::UsageArgs),
    /// Print the OpenAPI document of the HTTP interface.
    Openapi(openapi::OpenapiArgs),
}

impl GatewayCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Serve(args) => serve::run(*args, session).await,
            Self::Check(args) => check::run(*args, session),
            Self::ApiKey(command) => command.run(session).await,
            Self::Reconcile(args) => reconcile::run(&args, session).await,
            Self::Usage(args) => usage::run(&args, session).await,
            Self::Openapi(args) => openapi::run(&args, session),
        }
    }
}
