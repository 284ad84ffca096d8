use std::fmt;

use clap::Args;
use motif_sdk::{
    gateway::{GatewayError, PayerRequest},
    keypair::signing_key,
};
use serde::Serialize;

use super::selection::ChannelArgs;
use crate::{
    amount::{Money, grouped},
    currency,
    error::CliError,
    output::{pairs, table},
    session::Session,
    time::utc,
};

/// Arguments of `motif channel settle`.
#[derive(Args)]
pub struct SettleArgs {
    #[command(flatten)]
    channel: ChannelArgs,
}

/// Arguments of `motif channel close`.
#[derive(Args)]
pub struct CloseArgs {
    #[command(flatten)]
    channel: ChannelArgs,

    /// Start the grace period without the gateway; run `motif channel withdraw` when it is over
    #[arg(long)]
    without_gateway: bool,
}

/// Output of `motif channel settle`.
#[derive(Serialize)]
struct SettleOutput {
    channel: String,
    statements: Vec<StatementOutput>,
}

/// Statement that was settled.
#[derive(Serialize)]
struct StatementOutput {
    statement: u64,
    receipts: u32,
    prices: Money,
    fee: Money,
    compute_units: u64,
    lamports_in_fees: u64,
    signature: String,
}

pub async fn settle(args: SettleArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let payer = session.keypair()?;
    let (channel, account) = args.channel.find(&client, session).await?;
    let gateway = session.gateway().await;
    let request = PayerRequest::settle(&channel, &account.channel).sign(&signing_key(&payer));
    let reports = gateway.settle(&request).await?;
    let scale = currency::scale(&client, &account.channel.mint).await?;
    let statements = reports.iter().map(|report| StatementOutput {
        statement: report.statement,
        receipts: report.receipts,
        prices: scale.money(report.prices.0),
        fee: scale.money(report.fee.0),
        compute_units: report.compute_units,
        lamports_in_fees: report.fee_lamports,
        signature: report.signature.clone(),
    });
    session.print(&SettleOutput { channel: channel.to_string(), statements: statements.collect() });
    Ok(())
}

impl fmt::Display for SettleOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.statements.iter().map(|statement| {
            [
                statement.statement.to_string(),
                grouped(u64::from(statement.receipts)),
                statement.prices.to_string(),
                statement.fee.to_string(),
                grouped(statement.compute_units),
                grouped(statement.lamports_in_fees),
            ]
        });
        let header = ["statement", "receipts", "prices", "fee", "compute units", "lamports"];
        let table = table(header, &[0, 1, 2, 3, 4, 5], rows);
        write!(formatter, "{}\n\n{table}", pairs(&[("channel", &self.channel)]))
    }
}

/// Output of `motif channel close`.
#[derive(Serialize)]
struct CloseOutput {
    channel: String,
    /// Numbers of the statements that were settled.
    settled_statements: Vec<u64>,
    refunded: Money,
    signature: String,
}

/// Output of `motif channel close` while the grace period runs.
#[derive(Serialize)]
struct StartCloseOutput {
    channel: String,
    closes_at: i64,
}

pub async fn run(args: CloseArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (channel, account) = args.channel.find(&client, session).await?;
    if args.without_gateway {
        client.request_close(&channel).send(&payer).await?;
        let closes_at = client.channel(&channel).await?.channel.closes_at;
        session.print(&StartCloseOutput { channel: channel.to_string(), closes_at });
        return Ok(());
    }

    let gateway = session.gateway().await;
    // The grace period starts only if the gateway responds and serves the channel, which may not have
    // generated yet.
    gateway.ready().await?;
    gateway.open_channel(&channel).await?;
    if account.channel.closes_at == i64::MAX {
        client.request_close(&channel).send(&payer).await?;
    }
    let closes_at = client.channel(&channel).await?.channel.closes_at;
    let announce = |_: &GatewayError| {
        let at = utc(closes_at);
        session.status(format_args!("the channel closes at {at}; then {}", withdrawal(&channel)));
    };
    let request = PayerRequest::close(&channel, &account.channel).sign(&signing_key(&payer));
    let closing = gateway.close(&request).await.inspect_err(announce)?;
    if closing.closes_at > client.now().await? {
        // The gateway has settled. The grace period goes on: the channel has a watcher, or the
        // gateway lacks the operator's authority.
        let closes_at = closing.closes_at;
        session.print(&StartCloseOutput { channel: channel.to_string(), closes_at });
        return Ok(());
    }
    let withdrawn = client.withdraw(&payer, &channel).await;
    let (refunded, landed) = withdrawn.inspect_err(|_| {
        session.status(format_args!("the channel is closed; {}", withdrawal(&channel)));
    })?;
    session.print(&CloseOutput {
        channel: channel.to_string(),
        settled_statements: closing.settlements.iter().map(|report| report.statement).collect(),
        refunded: currency::scale(&client, &account.channel.mint).await?.money(refunded),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

fn withdrawal(channel: &impl fmt::Display) -> String {
    format!("run `motif channel withdraw --channel {channel}`")
}

impl fmt::Display for CloseOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("channel", &self.channel),
            ("statements settled", &self.settled_statements.len()),
            ("refunded", &self.refunded),
        ]))
    }
}

impl fmt::Display for StartCloseOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closes_at = utc(self.closes_at);
        formatter.write_str(&pairs(&[
            ("channel", &self.channel),
            ("closes at", &closes_at),
            ("then", &withdrawal(&self.channel)),
        ]))
    }
}

/// Arguments of `motif channel withdraw`.
#[derive(Args)]
pub struct WithdrawArgs {
    #[command(flatten)]
    channel: ChannelArgs,
}

/// Output of `motif channel withdraw`.
#[derive(Serialize)]
struct WithdrawOutput {
    channel: String,
    refunded: Money,
    signature: String,
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

impl fmt::Display for WithdrawOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[("channel", &self.channel), ("refunded", &self.refunded)]);
        formatter.write_str(&facts)
    }
}
