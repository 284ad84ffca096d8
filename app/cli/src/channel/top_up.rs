use clap::Args;
use serde_json::json;

use super::PayingChannelArgs;
use crate::{amount::grouped, answer::pairs, error::CliError, session::Session};

/// Which channel, and how much.
#[derive(Args)]
pub struct TopUpArgs {
    /// Base units to add.
    #[arg(value_name = "BASE_UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    amount: u64,

    #[command(flatten)]
    channel: PayingChannelArgs,
}

pub async fn run(args: TopUpArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (channel, _) = args.channel.find(&client, session).await?;
    let landed = client.top_up(&payer, &channel, args.amount).await?;
    let deposited = client.channel(&channel).await?.channel.deposited;

    let json = json!({
        "channel": channel.to_string(),
        "deposited": deposited,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([("channel", channel.to_string()), ("deposited", grouped(deposited))]);
    session.answer(&json, text);
    Ok(())
}
