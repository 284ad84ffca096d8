//! Channels: a platform's escrow and its licenses.

mod accept;
mod close;
mod open;
mod show;
mod snapshot;
mod top_up;
mod voucher_key;
mod which;
mod withdraw;

use clap::Subcommand;

pub use snapshot::Snapshot;
pub use voucher_key::{VoucherKeyArgs, voucher_key};
pub use which::{ChannelArgs, PayingChannelArgs, find as find_channel, license_of};

use crate::{error::CliError, session::Session};

/// What can be done with channels.
#[derive(Subcommand)]
pub enum ChannelCommand {
    /// Open a channel and deposit into it, and optionally accept terms at once.
    Open(open::OpenArgs),
    /// Accept a use of works' latest terms onto a channel.
    Accept(accept::AcceptCommandArgs),
    /// Add to a channel's deposit.
    TopUp(top_up::TopUpArgs),
    /// Show a channel and its licenses.
    Show(show::ShowArgs),
    /// Have the gateway settle and close a channel, and take the rest of the deposit back.
    Close(close::CloseArgs),
    /// Take back what a closed channel never charged.
    Withdraw(withdraw::WithdrawArgs),
}

impl ChannelCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Open(args) => open::run(args, session).await,
            Self::Accept(args) => accept::run(args, session).await,
            Self::TopUp(args) => top_up::run(args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::Close(args) => close::run(args, session).await,
            Self::Withdraw(args) => withdraw::run(args, session).await,
        }
    }
}
