use std::fmt;

use clap::Args;
use serde::Serialize;

use super::selection::ChannelArgs;
use crate::{
    amount::{AmountArg, Money},
    currency,
    error::CliError,
    output::pairs,
    session::Session,
};

/// Arguments of `motif channel top-up`.
#[derive(Args)]
pub struct TopUpArgs {
    /// Amount to add to the deposit
    #[arg(value_parser = AmountArg::parse_positive)]
    amount: AmountArg,

    #[command(flatten)]
    channel: ChannelArgs,
}

/// Arguments of `motif channel withdraw`.
#[derive(Args)]
pub struct WithdrawArgs {
    #[command(flatten)]
    channel: ChannelArgs,
}

/// Output of `motif channel top-up`.
#[derive(Serialize)]
struct TopUpOutput {
    channel: String,
    deposited: Money,
    signature: String,
}

/// Output of `motif channel withdraw`.
#[derive(Serialize)]
struct WithdrawOutput {
    channel: String,
    refunded: Money,
    signature: String,
}

pub async fn top_up(args: TopUpArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (channel, account) = args.channel.find(&client, session).await?;
    let mint = account.channel.mint;
    let amount = currency::base_units(&client, &mint, &args.amount).await?;
    let landed = client.top_up(&payer, &channel, amount).await?;
    let deposited = client.channel(&channel).await?.channel.deposited;
    session.print(&TopUpOutput {
        channel: channel.to_string(),
        deposited: currency::scale(&client, &mint).await?.money(deposited),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

pub async fn withdraw(args: WithdrawArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (channel, account) = args.channel.find(&client, session).await?;
    let (refunded, landed) = client.withdraw(&payer, &channel).await?;
    session.print(&WithdrawOutput {
        channel: channel.to_string(),
        refunded: currency::scale(&client, &account.channel.mint).await?.money(refunded),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for TopUpOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[("channel", &self.channel), ("deposited", &self.deposited)]);
        formatter.write_str(&facts)
    }
}

impl fmt::Display for WithdrawOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[("channel", &self.channel), ("refunded", &self.refunded)]);
        formatter.write_str(&facts)
    }
}
