use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::Pubkey;
use serde_json::json;
use solana_signer::Signer;

use super::report::Report;
use crate::{error::CliError, reference::WorkReference, session::Session};

/// For which work, and how much.
#[derive(Args)]
pub struct PayArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// How much, base units of the currency (1000000 is one dollar).
    #[arg(long, value_name = "BASE_UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    amount: u64,

    /// In which mint [default: the localnet's test dollar].
    #[arg(long, env = "MOTIF_CURRENCY", value_name = "MINT")]
    currency: Option<Pubkey>,
}

pub async fn run(args: PayArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let mint = args.currency.unwrap_or_else(|| TestDollar::new().mint);
    let currency = client.currency(&mint).await?;
    let held = client.token_balance(&payer.pubkey(), &currency).await?;
    if held < args.amount {
        let (payer, wanted) = (payer.pubkey(), args.amount);
        return Err(CliError::NotEnoughTokens { payer, held, wanted });
    }
    let landed = client.pay_till(&work, &currency, args.amount).send(&payer).await?;

    let report = Report::read(&client, &work, &currency).await?;
    let mut json = report.json();
    json["paid"] = json!(args.amount);
    json["signature"] = json!(landed.signature.to_string());
    session.answer(&json, report.text());
    Ok(())
}
