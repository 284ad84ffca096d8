//! The deployment's config: who decides disputes, and who may change that.

mod accept_authority;
mod offer_authority;
mod report;
mod show;
mod update;

use clap::Subcommand;

use crate::{error::CliError, session::Session};

/// What can be done with the config.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Show the deployment's config.
    Show,
    /// Change who decides disputes, for which bond, within what time.
    Update(update::UpdateArgs),
    /// Offer the authority over the config to somebody else.
    OfferAuthority(offer_authority::OfferAuthorityArgs),
    /// Take the authority that was offered to you.
    AcceptAuthority,
}

impl ConfigCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Show => show::run(session).await,
            Self::Update(args) => update::run(args, session).await,
            Self::OfferAuthority(args) => offer_authority::run(args, session).await,
            Self::AcceptAuthority => accept_authority::run(session).await,
        }
    }
}
