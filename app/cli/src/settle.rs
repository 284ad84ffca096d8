use clap::Args;
use motif_sdk::{gateway::PayerRequest, keypair::signing_key};
use serde_json::json;

use crate::{
    amount::grouped,
    answer::{pairs, table},
    channel::ChannelArgs,
    error::CliError,
    session::Session,
};

/// Which channel.
#[derive(Args)]
pub struct SettleArgs {
    #[command(flatten)]
    channel: ChannelArgs,
}

pub async fn run(args: SettleArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let payer = session.keypair()?;
    let (channel, account) = args.channel.find(&client, session).await?;
    let gateway = session.gateway().await;
    let request = PayerRequest::settle(&channel, &account.channel).sign(&signing_key(&payer));
    let reports = gateway.settle(&request).await?;

    let statements = reports.iter().map(|report| {
        json!({
            "statement": report.statement,
            "receipts": report.receipts,
            "prices": report.prices.0,
            "fee": report.fee.0,
            "compute_units": report.compute_units,
            "lamports_in_fees": report.fee_lamports,
            "signature": report.signature,
        })
    });
    let statements: Vec<_> = statements.collect();
    let json = json!({ "channel": channel.to_string(), "statements": statements });
    let rows = reports.iter().map(|report| {
        [
            report.statement.to_string(),
            grouped(u64::from(report.receipts)),
            grouped(report.prices.0),
            grouped(report.fee.0),
            grouped(report.compute_units),
            grouped(report.fee_lamports),
        ]
    });
    let header = ["statement", "receipts", "prices", "fee", "compute units", "lamports"];
    let facts = pairs([("channel", channel.to_string())]);
    let text = format!("{facts}\n\n{}", table(header, &[0, 1, 2, 3, 4, 5], rows.collect()));
    session.answer(&json, text);
    Ok(())
}
