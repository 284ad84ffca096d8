//! Content credentials: signing files, and reading what files say of themselves.

mod anchors;
mod identity;
mod naming;
mod report;
mod show;
mod sign;

use clap::Subcommand;

pub use anchors::AnchorArgs;
pub use naming::{Licensed, Naming};
pub use report::{facts_of, said};

use crate::{error::CliError, session::Session};

/// What can be done with content credentials.
#[derive(Subcommand)]
pub enum CredentialsCommand {
    /// Make a signing certificate and its key, and an anchor that readers may trust.
    Identity(identity::IdentityArgs),
    /// Sign a registered work's file, or an output with its receipt.
    Sign(sign::SignArgs),
    /// Show what a file says of itself, without asking anybody.
    Show(show::ShowArgs),
}

impl CredentialsCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Identity(args) => identity::run(&args, session),
            Self::Sign(args) => sign::run(args, session).await,
            Self::Show(args) => show::run(args, session).await,
        }
    }
}
