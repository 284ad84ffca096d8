//! Splits: changing who earns, with the consent of everybody who would earn less.

mod apply;
mod approve;
mod cancel;
mod propose;
mod report;
mod show;

use clap::Subcommand;

use crate::{error::CliError, session::Session};

/// What can be done with splits.
#[derive(Subcommand)]
pub enum SplitCommand {
    /// Propose another split of a work of yours.
    Propose(propose::ProposeArgs),
    /// Consent, as a recipient, to the split that is proposed.
    Approve(approve::ApproveArgs),
    /// Put the proposed split in force, once nobody's consent is missing; anybody may.
    Apply(apply::ApplyArgs),
    /// Show a work's split, the proposed one, and who must still consent.
    Show(show::ShowArgs),
    /// Take the proposed split back.
    Cancel(cancel::CancelArgs),
}

impl SplitCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Propose(args) => propose::run(args, session).await,
            Self::Approve(args) => approve::run(args, session).await,
            Self::Apply(args) => apply::run(args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::Cancel(args) => cancel::run(args, session).await,
        }
    }
}
