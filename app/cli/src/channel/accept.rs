use std::path::PathBuf;

use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::{Quota, Use},
    client::{Client, PublishedTerms},
    gateway::wire::{UnitWord, UseWord},
    keypair,
    licensing::UsePrice,
};
use serde_json::{Value, json};
use solana_keypair::Keypair;

use super::PayingChannelArgs;
use crate::{
    amount::grouped,
    answer::{pairs, table},
    error::CliError,
    reference::WorkReference,
    session::Session,
};

/// What to accept, onto which channel.
#[derive(Args)]
pub struct AcceptCommandArgs {
    /// Works' addresses, or the files they were registered from.
    #[arg(required = true, value_name = "WORK", value_parser = WorkReference::parse)]
    works: Vec<WorkReference>,

    #[command(flatten)]
    channel: PayingChannelArgs,

    #[command(flatten)]
    license: LicenseArgs,
}

/// On which conditions to accept.
#[derive(Args)]
pub struct LicenseArgs {
    /// The use to license [default: generate, or else the only one the terms offer].
    #[arg(long = "use", value_name = "USE")]
    licensed_use: Option<UseWord>,

    /// The most to pay a unit, base units [default: the price just read].
    #[arg(long, value_name = "BASE_UNITS")]
    max_price: Option<u64>,

    /// Units wanted, where the terms have a cap that licensees share.
    #[arg(long, default_value_t = 0, value_name = "UNITS")]
    quota_units: u64,

    /// Revenue wanted, where the terms have a cap that licensees share, base units.
    #[arg(long, default_value_t = 0, value_name = "BASE_UNITS")]
    quota_revenue: u64,

    /// Keypair of the work's owner, where the terms ask for its approval.
    #[arg(long, value_name = "FILE")]
    approver: Option<PathBuf>,
}

/// What is to be accepted of a work.
pub struct Choice {
    work: Pubkey,
    terms_number: u32,
    price: UsePrice,
}

/// A license that was just accepted.
pub struct AcceptedLicense {
    index: u16,
    work: Pubkey,
    terms_number: u32,
    price: UsePrice,
}

pub async fn run(args: AcceptCommandArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let (channel, _) = args.channel.find(&client, session).await?;
    let choices = choose(&client, &args.works, &args.license).await?;
    let mut licenses = Vec::with_capacity(choices.len());
    for choice in &choices {
        licenses.push(accept(&client, &payer, &channel, choice, &args.license).await?);
    }

    let json = json!({
        "channel": channel.to_string(),
        "licenses": licenses.iter().map(AcceptedLicense::json).collect::<Vec<_>>(),
    });
    let facts = pairs([("channel", channel.to_string())]);
    session.answer(&json, facts + &AcceptedLicense::text(&licenses));
    Ok(())
}

/// Looks up what would be accepted of each work, and refuses what cannot be, before any money
/// moves.
///
/// # Errors
/// [`CliError::UseNotOffered`]; [`CliError::QuotaMissing`]; as [`WorkReference::address`].
pub async fn choose(
    client: &Client,
    works: &[WorkReference],
    args: &LicenseArgs,
) -> Result<Vec<Choice>, CliError> {
    let mut choices = Vec::with_capacity(works.len());
    for reference in works {
        let work = reference.address(client).await?;
        let published = client.latest_terms(&work).await?;
        let price = offered(&published, args.licensed_use)?;
        let caps = &published.terms.offer.caps;
        let units = caps.total_units.is_some() && args.quota_units == 0;
        let revenue = caps.revenue.is_some() && args.quota_revenue == 0;
        if units || revenue {
            return Err(CliError::QuotaMissing { work, units });
        }
        choices.push(Choice { work, terms_number: published.terms.number, price });
    }
    Ok(choices)
}

/// Accepts one use of a work's latest terms, at the price they state now or less.
pub async fn accept(
    client: &Client,
    payer: &Keypair,
    channel: &Pubkey,
    choice: &Choice,
    args: &LicenseArgs,
) -> Result<AcceptedLicense, CliError> {
    let Choice { work, terms_number, price } = *choice;
    let max_price = args.max_price.unwrap_or(price.price);
    let quota = Quota { units: args.quota_units, revenue: args.quota_revenue };
    let approver = args.approver.as_deref().map(keypair::read).transpose()?;
    let mut acceptance =
        client.accept_terms(channel, &work, price.licensed_use).max_price(max_price).quota(quota);
    if let Some(approver) = &approver {
        acceptance = acceptance.approver(approver);
    }
    let (index, _) = acceptance.send(payer).await?;
    Ok(AcceptedLicense { index, work, terms_number, price })
}

fn offered(published: &PublishedTerms, wanted: Option<UseWord>) -> Result<UsePrice, CliError> {
    let terms = &published.terms;
    let found = match (wanted, terms.offer.uses.as_slice()) {
        (Some(wanted), _) => terms.price_of(wanted.into()),
        (None, [only]) => Some(only),
        (None, _) => terms.price_of(Use::Generate),
    };
    found.copied().ok_or_else(|| {
        let offered = terms.offer.uses.iter();
        let offered = offered.map(|price| UseWord::from(price.licensed_use).to_string());
        CliError::UseNotOffered {
            work: terms.work,
            wanted: wanted.unwrap_or(UseWord::Generate).to_string(),
            offered: offered.collect::<Vec<_>>().join(", "),
        }
    })
}

impl AcceptedLicense {
    pub fn json(&self) -> Value {
        json!({
            "license": self.index,
            "work": self.work.to_string(),
            "terms": self.terms_number,
            "use": UseWord::from(self.price.licensed_use),
            "price": self.price.price,
            "unit": UnitWord::from(self.price.unit),
        })
    }

    /// A table under other facts; nothing without licenses.
    pub fn text(licenses: &[Self]) -> String {
        if licenses.is_empty() {
            return String::new();
        }
        let row = |license: &Self| {
            [
                license.index.to_string(),
                license.work.to_string(),
                license.terms_number.to_string(),
                UseWord::from(license.price.licensed_use).to_string(),
                format!(
                    "{} / {}",
                    grouped(license.price.price),
                    UnitWord::from(license.price.unit)
                ),
            ]
        };
        let header = ["license", "work", "terms", "use", "price"];
        let table = table(header, &[0, 2], licenses.iter().map(row).collect());
        format!("\n\n{table}")
    }
}
