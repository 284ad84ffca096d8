use std::fmt;

use clap::Args;
use motif_sdk::{
    Pubkey,
    client::{Client, PublishedTerms},
    gateway::wire::{Derivatives, Unit, Use},
    licensing::UsePrice,
    terms::Document,
};
use serde::Serialize;

use crate::{
    amount::{Money, Scale, grouped, percent},
    currency,
    error::CliError,
    output::{pairs, table},
    reference::WorkArgs,
    session::Session,
    time::utc_or,
};

/// Arguments of `motif terms show`.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Version of the terms [default: the latest]
    #[arg(long, value_name = "NUMBER")]
    number: Option<u32>,

    /// Print a terms file, for `motif terms publish --file`
    #[arg(long)]
    toml: bool,
}

/// Output of `motif terms show --toml`.
#[derive(Serialize)]
struct TomlOutput {
    document: String,
}

/// Output of `motif terms show`.
#[derive(Serialize)]
struct TermsOutput {
    work: String,
    number: u32,
    address: String,
    digest: String,
    currency: String,
    published_at: i64,
    uses: Vec<UseOutput>,
    commercial: bool,
    attribution: bool,
    sublicensing: bool,
    approval_required: bool,
    derivatives: Derivatives,
    derivative_share_bps: u16,
    share_alike: bool,
    upfront_fee: Money,
    free_units: u64,
    caps: CapsOutput,
    valid_from: i64,
    expires_at: Option<i64>,
    notice_seconds: u32,
    /// Authorities of the operators that channels may have; empty for any.
    operators: Vec<String>,
    legal_uri: String,
    legal_digest: String,
}

/// Use that terms license, with its price per unit.
#[derive(Serialize)]
pub struct UseOutput {
    #[serde(rename = "use")]
    licensed_use: Use,
    price: Money,
    unit: Unit,
}

#[derive(Serialize)]
struct CapsOutput {
    total_units: Option<u64>,
    daily_units: Option<u64>,
    licensee_units: Option<u64>,
    revenue: Option<Money>,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let published = read_terms(&client, &work, args.number).await?;
    if args.toml {
        session.print(&TomlOutput { document: toml(&published) });
    } else {
        let scale = currency::scale(&client, &published.terms.currency).await?;
        session.print(&TermsOutput::new(&published, scale));
    }
    Ok(())
}

/// Reads a version of a work's terms, by default the latest.
///
/// # Errors
/// [`motif_sdk::Error::NotFound`]; [`motif_sdk::Error::Transport`].
pub async fn read_terms(
    client: &Client,
    work: &Pubkey,
    number: Option<u32>,
) -> Result<PublishedTerms, CliError> {
    Ok(match number {
        Some(number) => client.terms(work, number).await?,
        None => client.latest_terms(work).await?,
    })
}

fn toml(published: &PublishedTerms) -> String {
    let PublishedTerms { terms, digest, .. } = published;
    let document = Document::from_offer(terms.currency, &terms.offer).to_toml();
    let (number, work, digest) = (terms.number, terms.work, hex::encode(digest));
    format!("# Terms {number} of work {work}, with digest {digest}.\n\n{document}")
}

impl fmt::Display for TomlOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.document.trim_end())
    }
}

impl UseOutput {
    pub fn new(price: &UsePrice, scale: Scale) -> Self {
        Self { licensed_use: price.licensed_use, price: scale.money(price.price), unit: price.unit }
    }
}

impl fmt::Display for UseOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}/{}", self.licensed_use, self.price, self.unit)
    }
}

impl TermsOutput {
    fn new(published: &PublishedTerms, scale: Scale) -> Self {
        let PublishedTerms { address, terms, digest } = published;
        let offer = &terms.offer;
        Self {
            work: terms.work.to_string(),
            number: terms.number,
            address: address.to_string(),
            digest: hex::encode(digest),
            currency: terms.currency.to_string(),
            published_at: terms.published_at,
            uses: offer.uses.iter().map(|price| UseOutput::new(price, scale)).collect(),
            commercial: offer.commercial,
            attribution: offer.attribution,
            sublicensing: offer.sublicensing,
            approval_required: offer.approval_required,
            derivatives: offer.derivatives,
            derivative_share_bps: offer.derivative_share_bps,
            share_alike: offer.share_alike,
            upfront_fee: scale.money(offer.upfront_fee),
            free_units: offer.free_units,
            caps: CapsOutput {
                total_units: offer.caps.total_units,
                daily_units: offer.caps.daily_units,
                licensee_units: offer.caps.licensee_units,
                revenue: offer.caps.revenue.map(|revenue| scale.money(revenue)),
            },
            valid_from: offer.valid_from,
            expires_at: offer.expires_at,
            notice_seconds: offer.notice_seconds,
            operators: offer.operators.iter().map(ToString::to_string).collect(),
            legal_uri: offer.legal_uri.clone(),
            legal_digest: hex::encode(offer.legal_digest),
        }
    }

    fn derivatives(&self) -> String {
        match self.derivative_share_bps {
            0 => self.derivatives.to_string(),
            share => format!("{}, for {} of their earnings", self.derivatives, percent(share)),
        }
    }

    fn conditions(&self) -> String {
        let flags = [
            (!self.commercial, "non-commercial"),
            (self.attribution, "attribution"),
            (self.sublicensing, "sublicensing"),
            (self.approval_required, "approval by the owner"),
            (self.share_alike, "share alike"),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set);
        let mut conditions: Vec<_> = flags.map(|(_, name)| (*name).to_owned()).collect();
        if self.upfront_fee.base_units > 0 {
            conditions.push(format!("{} upfront", self.upfront_fee));
        }
        if self.free_units > 0 {
            conditions.push(format!("{} units free", grouped(self.free_units)));
        }
        if !self.operators.is_empty() {
            conditions.push(format!("with operator {}", self.operators.join(" or ")));
        }
        if conditions.is_empty() { "none".to_owned() } else { conditions.join(", ") }
    }
}

impl fmt::Display for CapsOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (self.total_units, "units in total"),
            (self.daily_units, "units per day and license"),
            (self.licensee_units, "units per license"),
        ];
        let units = units
            .iter()
            .filter_map(|(cap, name)| cap.map(|cap| format!("{} {name}", grouped(cap))));
        let revenue = self.revenue.map(|revenue| format!("{revenue} of revenue"));
        let caps: Vec<_> = units.chain(revenue).collect();
        formatter.write_str(&if caps.is_empty() { "none".to_owned() } else { caps.join(", ") })
    }
}

impl fmt::Display for TermsOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[
            ("work", &self.work),
            ("terms", &self.number),
            ("address", &self.address),
            ("currency", &self.currency),
            ("derivatives", &self.derivatives()),
            ("conditions", &self.conditions()),
            ("caps", &self.caps),
            ("expires", &utc_or(self.expires_at, "never")),
        ]);
        let rows = self.uses.iter().map(|priced| {
            [priced.licensed_use.to_string(), priced.price.to_string(), priced.unit.to_string()]
        });
        write!(formatter, "{facts}\n\n{}", table(["use", "price", "per"], &[1], rows))
    }
}
