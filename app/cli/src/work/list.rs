use std::fmt;

use clap::Args;
use motif_sdk::{
    Pubkey,
    client::{CatalogueEntry, OfferFilter, WorkFilter},
    gateway::wire::{Use, WorkKind, WorkStatus},
};
use serde::Serialize;

use super::show::WorkOutput;
use crate::{
    amount::AmountArg,
    currency::{self, Scales},
    error::CliError,
    output::table,
    reference::AccountReference,
    session::Session,
    terms::UseOutput,
};

/// Arguments of `motif work list`.
#[derive(Args, Default)]
pub struct ListArgs {
    /// Works that this address, or keypair file, registered
    #[arg(long, value_name = "ADDRESS|FILE")]
    pub creator: Option<AccountReference>,

    /// Works that this address, or keypair file, owns
    #[arg(long, value_name = "ADDRESS|FILE")]
    pub owner: Option<AccountReference>,

    /// Works of this kind: image, recording, voice, text, video, dataset or style-model
    #[arg(long)]
    pub kind: Option<WorkKind>,

    /// Works with this status: active, withdrawn or disputed
    #[arg(long)]
    pub status: Option<WorkStatus>,

    /// Works whose latest terms license this use, such as generate or train
    #[arg(long = "use", value_name = "USE")]
    pub licensed_use: Option<Use>,

    /// Works with a price per unit of at most this, for --use or for any use
    #[arg(long, value_name = "AMOUNT")]
    pub max_price: Option<AmountArg>,

    /// Works whose latest terms are in this mint
    #[arg(long, value_name = "MINT")]
    pub currency: Option<Pubkey>,
}

/// Output of `motif work list`.
#[derive(Serialize)]
#[serde(transparent)]
struct ListOutput(Vec<EntryOutput>);

/// Work with its uses and their prices.
#[derive(Serialize)]
pub struct EntryOutput {
    #[serde(flatten)]
    pub work: WorkOutput,
    pub uses: Vec<UseOutput>,
    pub currency: Option<String>,
}

pub async fn run(args: ListArgs, session: &Session) -> Result<(), CliError> {
    session.print(&ListOutput(list(args, session).await?));
    Ok(())
}

/// Returns the works that match.
///
/// # Errors
/// Those of `motif work list`.
pub async fn list(args: ListArgs, session: &Session) -> Result<Vec<EntryOutput>, CliError> {
    let works = WorkFilter {
        creator: args.creator.as_ref().map(AccountReference::address).transpose()?,
        owner: args.owner.as_ref().map(AccountReference::address).transpose()?,
        kind: args.kind,
        status: args.status,
        ..WorkFilter::default()
    };
    let client = session.client().await?;
    let max_price = match &args.max_price {
        Some(amount) => {
            let mint = args.currency.unwrap_or_else(currency::test_dollar);
            Some(currency::base_units(&client, &mint, amount).await?)
        }
        None => None,
    };
    let offers =
        OfferFilter { licensed_use: args.licensed_use, max_price, currency: args.currency };
    let mut scales = Scales::new(&client);
    let mut entries = Vec::new();
    for entry in client.catalogue(&works, &offers).await? {
        entries.push(EntryOutput::read(&entry, &mut scales).await?);
    }
    Ok(entries)
}

impl EntryOutput {
    async fn read(entry: &CatalogueEntry, scales: &mut Scales<'_>) -> Result<Self, CliError> {
        let (mut uses, mut currency) = (Vec::new(), None);
        if let Some(published) = &entry.terms {
            let terms = &published.terms;
            let scale = scales.get(&terms.currency).await?;
            uses.extend(terms.offer.uses.iter().map(|price| UseOutput::new(price, scale)));
            currency = Some(terms.currency.to_string());
        }
        Ok(Self { work: WorkOutput::new(&entry.address, &entry.work), uses, currency })
    }
}

impl fmt::Display for ListOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.iter().map(|EntryOutput { work, uses, .. }| {
            let uses: Vec<_> = uses.iter().map(ToString::to_string).collect();
            [
                work.work.clone(),
                if work.title.is_empty() { "-".to_owned() } else { work.title.clone() },
                work.kind.to_string(),
                work.status.to_string(),
                work.creator.clone(),
                work.latest_terms.to_string(),
                if uses.is_empty() { "-".to_owned() } else { uses.join(", ") },
            ]
        });
        let header = ["work", "title", "kind", "status", "creator", "terms", "offered for"];
        formatter.write_str(&table(header, &[5], rows))
    }
}
