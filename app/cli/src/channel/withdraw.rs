use clap::Args;
use serde_json::json;

use super::ChannelArgs;
use crate::{amount::grouped, answer::pairs, error::CliError, session::Session};

/// From which channel.
#[derive(Args)]
pub struct WithdrawArgs {
    #[command(flatten)]
    channel: ChannelArgs,
}

pub async fn run(args: WithdrawArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (channel, _) = args.channel.find(&client, session).await?;
    let (refunded, landed) = client.withdraw(&payer, &channel).await?;

    let json = json!({
        "channel": channel.to_string(),
        "refunded": refunded,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([("channel", channel.to_string()), ("refunded", grouped(refunded))]);
    session.answer(&json, text);
    Ok(())
}
