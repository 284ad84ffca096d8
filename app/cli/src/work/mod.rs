//! Works: registering, looking up, and what their owners can do with them.

mod accept_transfer;
mod cancel_transfer;
mod certify;
mod list;
mod register;
mod rights;
mod show;
mod training;
mod transfer;
mod tree;
mod withdraw;

use clap::Subcommand;

pub use register::fingerprint;

use crate::{error::CliError, session::Session};

/// What can be done with works.
#[derive(Subcommand)]
pub enum WorkCommand {
    /// Register a file as a work, and optionally publish its first terms.
    Register(Box<register::RegisterArgs>),
    /// Show everything the chain says about a work.
    Show(show::ShowArgs),
    /// List works and what they are offered for, earliest registration first.
    List(list::ListArgs),
    /// Draw what a work descends from and what descends from it, with shares.
    Tree(tree::TreeArgs),
    /// Offer a work to somebody else, who becomes its owner by accepting.
    Transfer(transfer::TransferArgs),
    /// Become the owner of a work that was offered to you.
    AcceptTransfer(accept_transfer::AcceptTransferArgs),
    /// Take back the offer of a work that nobody has accepted yet.
    CancelTransfer(cancel_transfer::CancelTransferArgs),
    /// Take no new licenses and derivatives from now on; existing licenses end after notice.
    Withdraw(withdraw::WithdrawArgs),
    /// Issue a work's certificate: a Token Metadata NFT that names its creators and shares.
    Certify(certify::CertifyArgs),
}

impl WorkCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Register(args) => register::run(*args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::List(args) => list::run(args, session).await,
            Self::Tree(args) => tree::run(args, session).await,
            Self::Transfer(args) => transfer::run(args, session).await,
            Self::AcceptTransfer(args) => accept_transfer::run(args, session).await,
            Self::CancelTransfer(args) => cancel_transfer::run(args, session).await,
            Self::Withdraw(args) => withdraw::run(args, session).await,
            Self::Certify(args) => certify::run(args, session).await,
        }
    }
}
