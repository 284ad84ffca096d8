//! Tills: money for a work from outside, such as a distributor's royalties.

mod open;
mod pay;
mod report;
mod show;
mod sweep;

use clap::Subcommand;

use crate::{error::CliError, session::Session};

/// What can be done with tills.
#[derive(Subcommand)]
pub enum TillCommand {
    /// Open the account that takes plain transfers for a work; anybody may.
    Open(open::OpenArgs),
    /// Pay into a till, as any wallet can by a plain transfer.
    Pay(pay::PayArgs),
    /// Show where to pay, and what a till holds.
    Show(show::ShowArgs),
    /// Move what a till holds into the work's earnings, where its split applies; anybody may.
    Sweep(sweep::SweepArgs),
}

impl TillCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Open(args) => open::run(args, session).await,
            Self::Pay(args) => pay::run(args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::Sweep(args) => sweep::run(args, session).await,
        }
    }
}
