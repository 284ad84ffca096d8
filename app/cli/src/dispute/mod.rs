//! Disputes: claiming a work, and how a claim ends.

mod decide;
mod expire;
mod open;
mod show;

use clap::Subcommand;

pub use show::json;

use crate::{error::CliError, session::Session};

/// What can be done with disputes.
#[derive(Subcommand)]
pub enum DisputeCommand {
    /// Claim a work that somebody else registered, with evidence and a bond.
    Open(open::OpenArgs),
    /// Show the dispute about a work.
    Show(show::ShowArgs),
    /// Say whose the work is, as the arbiter.
    Decide(decide::DecideArgs),
    /// End a dispute that nobody decided in time, as if it had been rejected; anybody may.
    Expire(expire::ExpireArgs),
}

impl DisputeCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Open(args) => open::run(args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::Decide(args) => decide::run(args, session).await,
            Self::Expire(args) => expire::run(args, session).await,
        }
    }
}
