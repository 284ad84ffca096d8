//! Receipts: what a platform holds for each generation.

mod proving;
mod verify;

use clap::Subcommand;

pub use proving::Prover;
pub use verify::read as read_receipts;

use crate::{error::CliError, session::Session};

/// What can be done with receipts.
#[derive(Subcommand)]
pub enum ReceiptCommand {
    /// Check receipts' signatures, and prove them against their channel's account.
    Verify(verify::VerifyArgs),
}

impl ReceiptCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Verify(args) => verify::run(args, session).await,
        }
    }
}
