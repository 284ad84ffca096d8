//! `motif channel`: payment channels, which hold a payer's deposit and its licenses.

mod accept;
mod acceptability;
mod close;
mod list;
mod open;
mod selection;
mod show;

use clap::Subcommand;

pub use selection::{ChannelArgs, VoucherKeyArgs, find_channel, find_license};
pub use show::ChannelSnapshot;

use crate::{error::CliError, session::Session};

/// Commands of `motif channel`.
#[derive(Subcommand)]
pub enum ChannelCommand {
    /// Open a channel with a deposit, and optionally accept terms
    Open(open::OpenArgs),
    /// Accept the latest terms of works, for one use
    Accept(accept::AcceptArgs),
    /// Add to a channel's deposit
    TopUp(open::TopUpArgs),
    /// List channels: deposited, settled, vouched and left
    List(list::ListArgs),
    /// Show a channel and its licenses
    Show(show::ShowArgs),
    /// Ask the gateway to settle a channel now
    Settle(close::SettleArgs),
    /// Settle and close a channel through the gateway, and withdraw the rest of its deposit
    Close(close::CloseArgs),
    /// Withdraw the rest of a closed channel's deposit
    Withdraw(close::WithdrawArgs),
}

impl ChannelCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Open(args) => open::run(args, session).await,
            Self::Accept(args) => accept::run(args, session).await,
            Self::TopUp(args) => open::top_up(args, session).await,
            Self::List(args) => list::run(args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::Settle(args) => close::settle(args, session).await,
            Self::Close(args) => close::run(args, session).await,
            Self::Withdraw(args) => close::withdraw(args, session).await,
        }
    }
}
