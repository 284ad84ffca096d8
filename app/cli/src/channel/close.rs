use clap::Args;
use motif_sdk::{gateway::PayerRequest, keypair::signing_key};
use serde_json::json;

use super::ChannelArgs;
use crate::{amount::grouped, answer::pairs, error::CliError, session::Session};

/// Which channel, and how.
#[derive(Args)]
pub struct CloseArgs {
    #[command(flatten)]
    channel: ChannelArgs,

    /// Only start the grace period, without the gateway; `motif channel withdraw` after it.
    #[arg(long)]
    without_gateway: bool,
}

pub async fn run(args: CloseArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (channel, account) = args.channel.find(&client, session).await?;
    if args.without_gateway {
        client.request_close(&payer, &channel).await?;
        let closes_at = client.channel(&channel).await?.channel.closes_at;
        let json = json!({ "channel": channel.to_string(), "closes_at": closes_at });
        let text = pairs([("channel", channel.to_string()), ("closes at", closes_at.to_string())]);
        session.answer(&json, text);
        return Ok(());
    }

    let gateway = session.gateway().await;
    gateway.ready().await?; // a gateway that is away must not start the grace period
    if account.channel.closes_at == i64::MAX {
        client.request_close(&payer, &channel).await?;
    }
    let request = PayerRequest::close(&channel, &account.channel).sign(&signing_key(&payer));
    let closing = gateway.close(&request).await?;
    let (refunded, landed) = client.withdraw(&payer, &channel).await?;

    let settlements: Vec<_> = closing.settlements.iter().map(|report| report.statement).collect();
    let json = json!({
        "channel": channel.to_string(),
        "settled_statements": settlements,
        "refunded": refunded,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("channel", channel.to_string()),
        ("statements settled", settlements.len().to_string()),
        ("refunded", grouped(refunded)),
    ]);
    session.answer(&json, text);
    Ok(())
}
