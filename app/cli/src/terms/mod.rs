//! Terms: publishing and reading.

mod offer;
mod publish;
mod show;

use clap::Subcommand;

pub use offer::OfferArgs;

use crate::{error::CliError, session::Session};

/// What can be done with terms.
#[derive(Subcommand)]
pub enum TermsCommand {
    /// Publish the next version of a work's terms; licences of earlier ones stay as they are.
    Publish(Box<publish::PublishArgs>),
    /// Show a work's terms.
    Show(show::ShowArgs),
}

impl TermsCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Publish(args) => publish::run(*args, session).await,
            Self::Show(args) => show::run(args, session).await,
        }
    }
}
