//! Gateways: running one, and what its interface is.

mod openapi;
mod serve;

use clap::Subcommand;

use crate::{error::CliError, session::Session};

/// What can be done with gateways.
#[derive(Subcommand)]
pub enum GatewayCommand {
    /// Meter generations, store every voucher before answering, and settle; Ctrl-C stops it.
    Serve(serve::ServeArgs),
    /// Print the OpenAPI document of the HTTP interface.
    Openapi,
}

impl GatewayCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Serve(args) => serve::run(args, session).await,
            Self::Openapi => openapi::run(session),
        }
    }
}
