//! `motif work`: registration, lookup, transfer and withdrawal of works.

pub mod description;
mod edit;
mod list;
mod parents;
mod register;
mod show;
mod style_model;
mod transfer;
mod tree;
mod withdraw;

use clap::Subcommand;

pub use list::{EntryOutput, ListArgs, list};
pub use register::fingerprint;

use crate::{error::CliError, session::Session};

/// Commands of `motif work`.
#[derive(Subcommand)]
pub enum WorkCommand {
    /// Register a file as a work, and optionally publish its first terms
    Register(Box<register::RegisterArgs>),
    /// Show all on-chain facts about a work
    Show(show::ShowArgs),
    /// Change the title and the metadata of a work you own
    Edit(edit::EditArgs),
    /// List works and their prices, earliest registration first
    List(list::ListArgs),
    /// Draw the ancestors and descendants of a work, with shares
    Tree(tree::TreeArgs),
    /// Offer the ownership of a work to another account
    Transfer(transfer::TransferArgs),
    /// Accept the ownership of a work that was offered to you
    AcceptTransfer(transfer::AcceptTransferArgs),
    /// Cancel an ownership offer that is not accepted yet
    CancelTransfer(transfer::CancelTransferArgs),
    /// Stop new licenses and derivatives, and end existing licenses after their notice period
    ///
    /// Run it again to end licenses that were accepted meanwhile.
    Withdraw(withdraw::WithdrawArgs),
    /// Issue a work's certificate, a Token Metadata NFT that names creators and shares
    Certify(transfer::CertifyArgs),
}

impl WorkCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Register(args) => register::run(*args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::Edit(args) => edit::run(args, session).await,
            Self::List(args) => list::run(args, session).await,
            Self::Tree(args) => tree::run(args, session).await,
            Self::Transfer(args) => transfer::offer(args, session).await,
            Self::AcceptTransfer(args) => transfer::accept(args, session).await,
            Self::CancelTransfer(args) => transfer::cancel(args, session).await,
            Self::Withdraw(args) => withdraw::run(args, session).await,
            Self::Certify(args) => transfer::certify(args, session).await,
        }
    }
}
