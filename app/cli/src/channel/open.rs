use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::{
    Pubkey,
    channel::{Currency, OpenChannelArgs},
    client::Client,
    pda,
};
use serde_json::json;
use solana_signer::Signer;

use super::{
    VoucherKeyArgs,
    accept::{AcceptedLicense, LicenseArgs, accept, choose},
    voucher_key,
};
use crate::{
    amount::grouped,
    answer::pairs,
    error::CliError,
    reference::{Somebody, WorkReference},
    session::Session,
};

/// Towards whom, how much, and for what.
#[derive(Args)]
pub struct OpenArgs {
    /// What to deposit, base units of the currency (1000000 is one dollar).
    #[arg(long, value_name = "BASE_UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    deposit: u64,

    /// Whom you trust to meter [default: the operator of --gateway-url].
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    operator: Option<Somebody>,

    /// The operator's fee, basis points on top of prices [default: what the gateway asks].
    #[arg(long, value_name = "BPS")]
    operator_fee_bps: Option<u16>,

    /// Mint to pay in [default: the localnet's test dollar].
    #[arg(long, env = "MOTIF_CURRENCY", value_name = "MINT")]
    currency: Option<Pubkey>,

    /// From closing it yourself to the last settlement.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    grace_seconds: u32,

    /// Accept these works' latest terms at once.
    #[arg(long, value_name = "WORK", value_parser = WorkReference::parse)]
    accept: Vec<WorkReference>,

    #[command(flatten)]
    license: LicenseArgs,

    #[command(flatten)]
    voucher_key: VoucherKeyArgs,
}

pub async fn run(args: OpenArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (operator, operator_fee_bps) = operator(&args, session).await?;
    let currency = args.currency.unwrap_or_else(|| TestDollar::new().mint);
    let currency = client.currency(&currency).await?;
    check_funds(&client, &payer.pubkey(), &currency, args.deposit).await?;
    let choices = choose(&client, &args.accept, &args.license).await?;

    let voucher_key = voucher_key(&args.voucher_key, session)?;
    let opening = OpenChannelArgs {
        salt: free_salt(&client, &payer.pubkey(), &operator, &currency.mint).await?,
        voucher_key: voucher_key.pubkey(),
        operator_fee_bps,
        grace_seconds: args.grace_seconds,
        deposit: args.deposit,
    };
    let (channel, landed) = client.open_channel(&operator, &currency, opening).send(&payer).await?;
    let mut licenses = Vec::with_capacity(choices.len());
    for choice in &choices {
        let accepted = accept(&client, &payer, &channel, choice, &args.license).await;
        licenses.push(accepted.inspect_err(|_| {
            session.say(format_args!("channel {channel} is open, and holds the deposit"));
        })?);
    }

    let json = json!({
        "channel": channel.to_string(),
        "operator": operator.to_string(),
        "operator_fee_bps": operator_fee_bps,
        "deposited": args.deposit,
        "licenses": licenses.iter().map(AcceptedLicense::json).collect::<Vec<_>>(),
        "signature": landed.signature.to_string(),
    });
    let facts = pairs([
        ("channel", channel.to_string()),
        ("operator", operator.to_string()),
        ("deposited", grouped(args.deposit)),
    ]);
    session.answer(&json, facts + &AcceptedLicense::text(&licenses));
    Ok(())
}

async fn operator(args: &OpenArgs, session: &Session) -> Result<(Pubkey, u16), CliError> {
    if let Some(operator) = &args.operator {
        return Ok((operator.address()?, args.operator_fee_bps.unwrap_or(0)));
    }
    let gateway = session.gateway().await.operator().await?;
    Ok((gateway.operator.0, args.operator_fee_bps.unwrap_or(gateway.operator_fee_bps)))
}

async fn check_funds(
    client: &Client,
    payer: &Pubkey,
    currency: &Currency,
    wanted: u64,
) -> Result<(), CliError> {
    let held = client.token_balance(payer, currency).await?;
    if held < wanted {
        return Err(CliError::NotEnoughTokens { payer: *payer, held, wanted });
    }
    Ok(())
}

/// The first number that no channel between these two has.
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
