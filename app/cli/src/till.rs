//! `motif till`: payments to a work from outside, such as a distributor's royalties.

use std::fmt;

use clap::{Args, Subcommand};
use motif_sdk::{Pubkey, channel::Currency, client::Client, earnings::till_tokens, pda};
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    amount::{AmountArg, Money},
    currency::{self, CurrencyArgs},
    error::CliError,
    output::pairs,
    reference::WorkArgs,
    session::Session,
};

/// Commands of `motif till`.
#[derive(Subcommand)]
pub enum TillCommand {
    /// Open the account that takes plain transfers for a work
    ///
    /// Any keypair may sign. Does nothing if the till is open.
    Open(TillArgs),
    /// Pay into a till, as a wallet does by plain transfer
    Pay(PayArgs),
    /// Show a till's address and balance
    Show(TillArgs),
    /// Move a till's balance into the work's earnings, to be shared by its split
    ///
    /// Any keypair may sign.
    Sweep(TillArgs),
}

/// Till that a command is about: one per work and currency.
#[derive(Args)]
pub struct TillArgs {
    #[command(flatten)]
    work: WorkArgs,

    #[command(flatten)]
    currency: CurrencyArgs,
}

/// Arguments of `motif till pay`.
#[derive(Args)]
pub struct PayArgs {
    #[command(flatten)]
    till: TillArgs,

    /// Amount to pay
    #[arg(long, value_parser = AmountArg::parse_positive)]
    amount: AmountArg,
}

impl TillCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Open(args) => open(args, session).await,
            Self::Pay(args) => pay(args, session).await,
            Self::Show(args) => show(args, session).await,
            Self::Sweep(args) => sweep(args, session).await,
        }
    }
}

impl TillArgs {
    async fn read(&self, client: &Client) -> Result<(Pubkey, Currency), CliError> {
        let work = self.work.address(client).await?;
        Ok((work, client.currency(&self.currency.mint()).await?))
    }
}

/// Output of every command of `motif till`.
#[derive(Serialize)]
struct TillOutput {
    work: String,
    mint: String,
    till: String,
    /// Token account of the till.
    tokens: String,
    holds: Money,
    swept: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

async fn open(args: TillArgs, session: &Session) -> Result<(), CliError> {
    let funder = session.keypair()?;
    let client = session.client().await?;
    let (work, currency) = args.read(&client).await?;
    client.open_till(&funder, &work, &currency).await?;
    session.print(&TillOutput::read(&client, &work, &currency).await?);
    Ok(())
}

async fn pay(args: PayArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (work, currency) = args.till.read(&client).await?;
    let amount = currency::base_units(&client, &currency.mint, &args.amount).await?;
    currency::check_balance(&client, &payer.pubkey(), &currency, amount).await?;
    let landed = client.pay_till(&work, &currency, amount).send(&payer).await?;

    let scale = currency::scale(&client, &currency.mint).await?;
    session.print(&TillOutput {
        paid: Some(scale.money(amount)),
        signature: Some(landed.signature.to_string()),
        ..TillOutput::read(&client, &work, &currency).await?
    });
    Ok(())
}

async fn show(args: TillArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let (work, currency) = args.read(&client).await?;
    session.print(&TillOutput::read(&client, &work, &currency).await?);
    Ok(())
}

async fn sweep(args: TillArgs, session: &Session) -> Result<(), CliError> {
    let fee_payer = session.keypair()?;
    let client = session.client().await?;
    let (work, currency) = args.read(&client).await?;
    let before = client.till(&work, &currency.mint).await?.swept;
    client.sweep_till(&fee_payer, &work, &currency).await?;
    let moved = client.till(&work, &currency.mint).await?.swept.saturating_sub(before);

    let scale = currency::scale(&client, &currency.mint).await?;
    session.print(&TillOutput {
        moved: Some(scale.money(moved)),
        ..TillOutput::read(&client, &work, &currency).await?
    });
    Ok(())
}

impl TillOutput {
    async fn read(client: &Client, work: &Pubkey, currency: &Currency) -> Result<Self, CliError> {
        let till = client.till(work, &currency.mint).await?;
        let address = pda::till(work, &currency.mint);
        let scale = currency::scale(client, &currency.mint).await?;
        Ok(Self {
            work: work.to_string(),
            mint: currency.mint.to_string(),
            till: address.to_string(),
            tokens: till_tokens(work, currency).to_string(),
            holds: scale.money(client.token_balance(&address, currency).await?),
            swept: scale.money(till.swept),
            paid: None,
            moved: None,
            signature: None,
        })
    }
}

impl fmt::Display for TillOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("mint", &self.mint),
            ("pay to", &self.till),
            ("token account", &self.tokens),
            ("balance", &self.holds),
            ("swept in total", &self.swept),
        ]))?;
        match &self.moved {
            Some(moved) => write!(formatter, "\nswept now       {moved}"),
            None => Ok(()),
        }
    }
}
