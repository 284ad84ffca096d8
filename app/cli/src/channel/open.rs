use std::fmt;

use clap::Args;
use motif_sdk::{Pubkey, channel::OpenChannelArgs, client::Client, pda};
use serde::Serialize;
use solana_signer::Signer;

use super::{
    accept::{Acceptance, LicenseArgs, LicenseOutput, accept, license_table, prepare},
    acceptability::Conditions,
    selection::{ChannelArgs, VoucherKeyArgs},
};
use crate::{
    amount::{AmountArg, Money},
    currency::{self, CurrencyArgs},
    error::CliError,
    operator::registered,
    output::pairs,
    reference::{AccountReference, WorkReference},
    session::Session,
};

/// Arguments of `motif channel open`.
#[derive(Args)]
pub struct OpenArgs {
    /// Amount to deposit
    #[arg(long, value_name = "AMOUNT", value_parser = AmountArg::parse_positive)]
    deposit: AmountArg,

    /// Authority of the operator that meters, an address or a keypair file [default: the operator of
    /// --gateway-url]
    #[arg(long, value_name = "ADDRESS|FILE")]
    operator: Option<AccountReference>,

    /// Operator's fee on top of prices, in basis points [default: what the operator asks for]
    #[arg(long, value_name = "BPS")]
    operator_fee_bps: Option<u16>,

    #[command(flatten)]
    currency: CurrencyArgs,

    /// Time in which the operator can still settle after you close the channel without it [default:
    /// 3600, or what the operator asks for]
    #[arg(long, value_name = "SECONDS")]
    grace_seconds: Option<u32>,

    /// Address, or keypair file, of a key that may settle for a dead operator, in the second half of
    /// the time after closing; closing at once then needs its signature too
    #[arg(long, value_name = "ADDRESS|FILE")]
    watcher: Option<AccountReference>,

    /// Work whose latest terms to accept, an address or a file; repeat for several
    #[arg(long, value_name = "WORK")]
    accept: Vec<WorkReference>,

    #[command(flatten)]
    voucher_key: VoucherKeyArgs,

    #[command(flatten)]
    license: LicenseArgs,
}

/// Output of `motif channel open`.
#[derive(Serialize)]
struct OpenOutput {
    channel: String,
    operator: String,
    operator_fee_bps: u16,
    /// Whether the payer or its voucher key is one of the operator's keys.
    self_metered: bool,
    deposited: Money,
    licenses: Vec<LicenseOutput>,
    signature: String,
}

pub async fn run(args: OpenArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let operator = operator(&args, session).await?;
    let account = registered(&client, &operator).await?;
    let operator_fee_bps = args.operator_fee_bps.unwrap_or(account.fee_bps);
    let grace_seconds = args.grace_seconds.unwrap_or(account.min_grace_seconds.max(3_600));
    let currency = client.currency(&args.currency.mint()).await?;
    let deposit = currency::base_units(&client, &currency.mint, &args.deposit).await?;
    let conditions = Conditions {
        payer: payer.pubkey(),
        operator,
        mint: currency.mint,
        operator_fee_bps,
        prices: 0,
    };
    let acceptances = prepare(&client, &args.accept, &args.license, conditions).await?;
    let cost = acceptances.iter().map(Acceptance::cost).fold(deposit, u64::saturating_add);
    currency::check_balance(&client, &payer.pubkey(), &currency, cost).await?;

    let voucher_key = args.voucher_key.read_or_create(session)?;
    let opening = OpenChannelArgs {
        salt: free_salt(&client, &payer.pubkey(), &operator, &currency.mint).await?,
        voucher_key: voucher_key.pubkey(),
        operator_fee_bps,
        grace_seconds,
        deposit,
        watcher: args.watcher.as_ref().map(AccountReference::address).transpose()?,
    };
    let (channel, landed) = client.open_channel(&operator, &currency, opening).send(&payer).await?;
    let mut licenses = Vec::with_capacity(acceptances.len());
    for acceptance in &acceptances {
        let accepted = accept(&client, &payer, &channel, acceptance, &args.license).await;
        licenses.push(accepted.inspect_err(|_| {
            session.status(format_args!(
                "channel {channel} is open and holds the deposit: accept terms on it with `motif \
                 channel accept WORK --channel {channel}`, or close it with `motif channel close`"
            ));
        })?);
    }
    session.print(&OpenOutput {
        channel: channel.to_string(),
        operator: operator.to_string(),
        operator_fee_bps,
        self_metered: client.channel(&channel).await?.channel.self_metered == 1,
        deposited: currency::scale(&client, &currency.mint).await?.money(deposit),
        licenses,
        signature: landed.signature.to_string(),
    });
    Ok(())
}

async fn operator(args: &OpenArgs, session: &Session) -> Result<Pubkey, CliError> {
    match &args.operator {
        Some(operator) => operator.address(),
        None => Ok(session.gateway().await.operator().await?.operator.0),
    }
}

/// Returns the first salt without a channel between payer and operator.
async fn free_salt(
    client: &Client,
    payer: &Pubkey,
    operator: &Pubkey,
    mint: &Pubkey,
) -> Result<u64, CliError> {
    let mut salt = 0;
    while client.account(&pda::channel(payer, operator, mint, salt)).await?.is_some() {
        salt += 1; // one request each: payers have few channels
    }
    Ok(salt)
}

impl fmt::Display for OpenOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metering = if self.self_metered { " (you meter yourself)" } else { "" };
        formatter.write_str(&pairs(&[
            ("channel", &self.channel),
            ("operator", &format_args!("{}{metering}", self.operator)),
            ("deposited", &self.deposited),
        ]))?;
        match self.licenses.as_slice() {
            [] => Ok(()),
            licenses => write!(formatter, "\n\n{}", license_table(licenses)),
        }
    }
}

/// Arguments of `motif channel top-up`.
#[derive(Args)]
pub struct TopUpArgs {
    /// Amount to add to the deposit
    #[arg(value_parser = AmountArg::parse_positive)]
    amount: AmountArg,

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

impl fmt::Display for TopUpOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[("channel", &self.channel), ("deposited", &self.deposited)]);
        formatter.write_str(&facts)
    }
}
