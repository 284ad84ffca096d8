//! `motif sale`: verification of sales that were paid into a till.

use std::{collections::BTreeSet, fmt, path::PathBuf};

use clap::{Args, Subcommand};
use motif_sdk::{
    Pubkey,
    acceptance::SaleAcceptance,
    client::Sale,
    fingerprint::content_digest,
    till::{TillShare, TillShares},
};
use serde::{Deserialize, Serialize};

use crate::{
    amount::Money, currency, error::CliError, output::pairs, reference::read_file,
    session::Session, time::utc,
};

/// Commands of `motif sale`.
#[derive(Subcommand)]
pub enum SaleCommand {
    /// Prove a sale from the chain alone: payment, memo, terms and price
    Verify(VerifyArgs),
}

/// Arguments of `motif sale verify`.
#[derive(Args)]
pub struct VerifyArgs {
    /// File that `motif till pay --output` wrote
    file: PathBuf,

    /// Text of the request, to compare with the one that the sale commits to
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
}

/// A sale in a file, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleFile {
    /// Signature of the payment, base58.
    signature: String,
    /// Authority of the till's operator, base58; absent without one.
    operator: Option<String>,
    operator_parts: u32,
    works: Vec<SoldWork>,
    /// Bytes that the payment's memo commits to, hex.
    acceptance: String,
}

/// Work of the till.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SoldWork {
    work: String,
    parts: u32,
    terms: u32,
}

/// Output of `motif sale verify`.
#[derive(Serialize)]
struct VerifyOutput {
    works: Vec<WorkOutput>,
    operator: Option<String>,
    till: String,
    /// Account that transferred.
    buyer: String,
    #[serde(rename = "use")]
    licensed_use: String,
    units: u32,
    /// Unit of the use; `None` if the works' terms count it in different ones.
    unit: Option<String>,
    paid: Money,
    paid_at: i64,
    request_digest: String,
    signature: String,
}

/// Work that was sold.
#[derive(Serialize)]
struct WorkOutput {
    work: String,
    /// As its owner states it now; possibly empty.
    title: String,
    /// Number of the accepted terms.
    terms: u32,
    parts: u32,
}

impl SaleFile {
    /// Creates the file of a sale.
    pub fn new(
        shares: &TillShares,
        terms_numbers: Vec<u32>,
        acceptance: &SaleAcceptance,
        signature: &impl ToString,
    ) -> Self {
        let works = shares.works.iter().zip(terms_numbers);
        Self {
            signature: signature.to_string(),
            operator: (shares.operator_parts > 0).then(|| shares.operator.to_string()),
            operator_parts: shares.operator_parts,
            works: works
                .map(|(share, terms)| SoldWork {
                    work: share.work.to_string(),
                    parts: share.parts,
                    terms,
                })
                .collect(),
            acceptance: hex::encode(acceptance.to_bytes()),
        }
    }

    /// Reads the sale; `None` if a field is invalid.
    fn sale(&self) -> Option<Sale> {
        let work =
            |sold: &SoldWork| Some(TillShare { work: sold.work.parse().ok()?, parts: sold.parts });
        let operator = match &self.operator {
            Some(operator) => operator.parse().ok()?,
            None => Pubkey::default(),
        };
        let works = self.works.iter().map(work).collect::<Option<Vec<_>>>()?;
        Some(Sale {
            shares: TillShares { operator, operator_parts: self.operator_parts, works },
            terms_numbers: self.works.iter().map(|sold| sold.terms).collect(),
            acceptance: SaleAcceptance::from_bytes(&hex::decode(&self.acceptance).ok()?)?,
            signature: self.signature.parse().ok()?,
        })
    }
}

impl SaleCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Verify(args) => verify(args, session).await,
        }
    }
}

async fn verify(args: VerifyArgs, session: &Session) -> Result<(), CliError> {
    let file: Option<SaleFile> = serde_json::from_slice(&read_file(&args.file)?).ok();
    let sale = file.and_then(|file| file.sale());
    let expected = "expected a sale that `motif till pay --output` wrote";
    let sale = sale.ok_or_else(|| CliError::unreadable(&args.file, expected))?;
    let digest = args.prompt.map(|prompt| content_digest(prompt.as_bytes()));
    let sold = sale.acceptance.request_digest;
    if let Some(digest) = digest.filter(|digest| *digest != sold) {
        let (expected, digest) = (hex::encode(sold), hex::encode(digest));
        return Err(CliError::RequestMismatch { expected, digest });
    }
    let client = session.client().await?;
    let verified = client.verify_sale(&sale).await?;
    let acceptance = &sale.acceptance;
    let scale = currency::scale(&client, &acceptance.mint).await?;
    let (mut works, mut units) = (Vec::new(), BTreeSet::new());
    let sold = sale.shares.works.iter().zip(&sale.terms_numbers).zip(verified.titles);
    for ((share, number), title) in sold {
        let terms = client.terms(&share.work, *number).await?.terms;
        units.extend(terms.price_of(acceptance.licensed_use).map(|price| price.unit.to_string()));
        let (work, parts) = (share.work.to_string(), share.parts);
        works.push(WorkOutput { work, title, terms: *number, parts });
    }
    let operator = sale.shares.operator.to_string();
    session.print(&VerifyOutput {
        works,
        operator: (sale.shares.operator_parts > 0).then_some(operator),
        unit: units.pop_first().filter(|_| units.is_empty()),
        till: acceptance.till.to_string(),
        buyer: verified.buyer.to_string(),
        licensed_use: acceptance.licensed_use.to_string(),
        units: acceptance.units,
        paid: scale.money(verified.paid),
        paid_at: verified.paid_at,
        request_digest: hex::encode(acceptance.request_digest),
        signature: sale.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for VerifyOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proved = "proved by its payment, its memo and the terms on chain".to_owned();
        let mut rows = vec![("sale", proved)];
        for WorkOutput { work, title, terms, .. } in &self.works {
            let title = if title.is_empty() { String::new() } else { format!(" \"{title}\"") };
            rows.push(("work", format!("{work}{title}, terms {terms}")));
        }
        rows.extend(self.operator.clone().map(|operator| ("operator", operator)));
        let unit = self.unit.as_deref().unwrap_or("unit");
        let plural = if self.units == 1 || unit.ends_with('s') { "" } else { "s" };
        rows.extend([
            ("bought", format!("{} {unit}{plural} (use {})", self.units, self.licensed_use)),
            ("request", format!("SHA-256 {}", self.request_digest)),
            ("till", self.till.clone()),
            ("buyer", self.buyer.clone()),
            ("paid", self.paid.to_string()),
            ("paid at", utc(self.paid_at)),
            ("transaction", self.signature.clone()),
        ]);
        let rows: Vec<_> =
            rows.iter().map(|(name, value)| (*name, value as &dyn fmt::Display)).collect();
        formatter.write_str(&pairs(&rows))
    }
}
