use std::path::PathBuf;

use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::Quota,
    client::{Client, PublishedTerms},
    gateway::wire::{Unit, Use},
    keypair,
    licensing::UsePrice,
};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{acceptability::Conditions, selection::ChannelArgs};
use crate::{
    amount::{AmountArg, Money, Scale},
    currency,
    error::CliError,
    output::{pairs, table},
    reference::WorkReference,
    session::Session,
};

/// Arguments of `motif channel accept`.
#[derive(Args)]
pub struct AcceptArgs {
    /// Addresses of the works, or the files they were registered from
    #[arg(required = true, value_name = "WORK")]
    works: Vec<WorkReference>,

    #[command(flatten)]
    channel: ChannelArgs,

    #[command(flatten)]
    license: LicenseArgs,
}

/// Conditions of an acceptance.
#[derive(Args)]
#[command(next_help_heading = "License")]
pub struct LicenseArgs {
    /// Use to license: generate, style-transfer, voice-convert, train, fine-tune or play [default:
    /// generate, or the only use that the terms offer]
    #[arg(long = "use", value_name = "USE")]
    licensed_use: Option<Use>,

    /// Maximum price per unit [default: the current price]
    #[arg(long, value_name = "AMOUNT")]
    max_price: Option<AmountArg>,

    /// Units to reserve, if the terms have a cap that licensees share. Their price, with the
    /// operator's fee, is taken from your tokens now and held until they are used
    #[arg(long, value_name = "UNITS", default_value_t = 0)]
    quota_units: u64,

    /// Revenue to reserve, if the terms have a cap that licensees share. It and the operator's fee
    /// are taken from your tokens now and held until they are used
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    quota_revenue: AmountArg,

    /// Keypair file of the work's owner, if the terms require an approval
    #[arg(long, value_name = "FILE")]
    approver: Option<PathBuf>,
}

/// Terms to accept, for one use of one work.
pub struct Acceptance {
    work: Pubkey,
    terms_number: u32,
    price: UsePrice,
    max_price: u64,
    quota: Quota,
    upfront_fee: u64,
    /// Price of the quota with the operator's fee, base units.
    held: u64,
    scale: Scale,
}

impl Acceptance {
    /// Returns what the acceptance takes from the payer's tokens, base units.
    pub fn cost(&self) -> u64 {
        self.upfront_fee.saturating_add(self.held)
    }
}

/// License that was accepted.
#[derive(Serialize)]
pub struct LicenseOutput {
    license: u16,
    work: String,
    terms: u32,
    #[serde(rename = "use")]
    licensed_use: Use,
    price: Money,
    unit: Unit,
    upfront_fee: Money,
    /// Price of the reserved quota with the operator's fee.
    quota: Money,
}

/// Output of `motif channel accept`.
#[derive(Serialize)]
struct AcceptOutput {
    channel: String,
    licenses: Vec<LicenseOutput>,
}

pub async fn run(args: AcceptArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (channel, account) = args.channel.find(&client, session).await?;
    let currency = client.currency(&account.channel.mint).await?;
    let conditions = Conditions::of(&account.channel);
    let acceptances = prepare(&client, &args.works, &args.license, conditions).await?;
    let cost = acceptances.iter().map(Acceptance::cost).fold(0, u64::saturating_add);
    currency::check_balance(&client, &payer.pubkey(), &currency, cost).await?;
    let mut licenses = Vec::with_capacity(acceptances.len());
    for acceptance in &acceptances {
        licenses.push(accept(&client, &payer, &channel, acceptance, &args.license).await?);
    }
    session.print(&AcceptOutput { channel: channel.to_string(), licenses });
    Ok(())
}

/// Reads the terms to accept of each work, and rejects those that cannot be accepted before any
/// money moves.
///
/// # Errors
/// [`CliError::NotAcceptable`]; [`CliError::UseNotOffered`]; [`CliError::QuotaMissing`];
/// [`CliError::Amount`]; as [`WorkReference::address`].
pub async fn prepare(
    client: &Client,
    works: &[WorkReference],
    args: &LicenseArgs,
    mut conditions: Conditions,
) -> Result<Vec<Acceptance>, CliError> {
    let mut acceptances = Vec::with_capacity(works.len());
    for reference in works {
        let work = reference.address(client).await?;
        let published = conditions.read(client, &work, args.approver.is_some()).await?;
        let price = offered(&published, args.licensed_use)?;
        let mint = &published.terms.currency;
        let quota = Quota {
            units: args.quota_units,
            revenue: currency::base_units(client, mint, &args.quota_revenue).await?,
        };
        let caps = &published.terms.offer.caps;
        let lacks_units = caps.total_units.is_some() && quota.units == 0;
        let lacks_revenue = caps.revenue.is_some() && quota.revenue == 0;
        if lacks_units || lacks_revenue {
            return Err(CliError::QuotaMissing { work, units: lacks_units });
        }
        let max_price = match &args.max_price {
            Some(amount) => currency::base_units(client, mint, amount).await?,
            None => price.price,
        };
        let held = conditions.hold(&published.terms, quota)?;
        let upfront_fee = published.terms.offer.upfront_fee;
        let (terms_number, scale) = (published.terms.number, currency::scale(client, mint).await?);
        acceptances.push(Acceptance {
            work,
            terms_number,
            price,
            max_price,
            quota,
            upfront_fee,
            held,
            scale,
        });
    }
    Ok(acceptances)
}

/// Accepts one use of a work's latest terms, at the current price or less.
///
/// # Errors
/// [`motif_sdk::Error`].
pub async fn accept(
    client: &Client,
    payer: &Keypair,
    channel: &Pubkey,
    acceptance: &Acceptance,
    args: &LicenseArgs,
) -> Result<LicenseOutput, CliError> {
    let Acceptance { work, terms_number, price, max_price, quota, upfront_fee, held, scale } =
        *acceptance;
    let approver = args.approver.as_deref().map(keypair::read).transpose()?;
    let mut acceptance =
        client.accept_terms(channel, &work, price.licensed_use).max_price(max_price).quota(quota);
    if let Some(approver) = &approver {
        acceptance = acceptance.approver(approver);
    }
    let (license, _) = acceptance.send(payer).await?;
    Ok(LicenseOutput {
        license,
        work: work.to_string(),
        terms: terms_number,
        licensed_use: price.licensed_use,
        price: scale.money(price.price),
        unit: price.unit,
        upfront_fee: scale.money(upfront_fee),
        quota: scale.money(held),
    })
}

fn offered(published: &PublishedTerms, wanted: Option<Use>) -> Result<UsePrice, CliError> {
    let terms = &published.terms;
    let found = match (wanted, terms.offer.uses.as_slice()) {
        (Some(wanted), _) => terms.price_of(wanted),
        (None, [only]) => Some(only),
        (None, _) => terms.price_of(Use::Generate),
    };
    found.copied().ok_or_else(|| {
        let offered = terms.offer.uses.iter();
        let offered = offered.map(|price| price.licensed_use.to_string());
        CliError::UseNotOffered {
            work: terms.work,
            wanted: wanted.unwrap_or(Use::Generate).to_string(),
            offered: offered.collect::<Vec<_>>().join(", "),
        }
    })
}

/// Renders accepted licenses as a table, with what each took from the payer's tokens below it.
pub fn license_table(licenses: &[LicenseOutput]) -> String {
    let rows = licenses.iter().map(|license| {
        [
            license.license.to_string(),
            license.work.clone(),
            license.terms.to_string(),
            license.licensed_use.to_string(),
            format!("{} / {}", license.price, license.unit),
        ]
    });
    let mut text = table(["license", "work", "terms", "use", "price"], &[0, 2], rows);
    for license in licenses {
        for (amount, what) in [(license.upfront_fee, "upfront fee"), (license.quota, "quota")] {
            let until = if what == "quota" { ", held until used" } else { "" };
            if amount.base_units > 0 {
                text += &format!("\nlicense {}: {what} {amount}{until}", license.license);
            }
        }
    }
    text
}

impl std::fmt::Display for AcceptOutput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let channel = pairs(&[("channel", &self.channel)]);
        write!(formatter, "{channel}\n\n{}", license_table(&self.licenses))
    }
}
