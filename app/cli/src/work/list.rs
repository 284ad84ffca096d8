use clap::Args;
use motif_sdk::{
    Pubkey,
    client::{CatalogueEntry, OfferFilter, WorkFilter},
    gateway::wire::{KindWord, StatusWord, UnitWord, UseWord},
};
use serde_json::{Value, json};

use super::show;
use crate::{
    amount::grouped, answer::table, error::CliError, reference::Somebody, session::Session,
};

/// Which works.
#[derive(Args)]
pub struct ListArgs {
    /// Only those that this address, or keypair file, registered.
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    creator: Option<Somebody>,

    /// Only those that this address, or keypair file, owns now.
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    owner: Option<Somebody>,

    /// Only those of this kind.
    #[arg(long)]
    kind: Option<KindWord>,

    /// Only those that are active, withdrawn or disputed.
    #[arg(long)]
    status: Option<StatusWord>,

    /// Only those whose latest terms license this use.
    #[arg(long = "use", value_name = "USE")]
    licensed_use: Option<UseWord>,

    /// Only those that ask at most this for a unit of the use, or of any use; base units.
    #[arg(long, value_name = "BASE_UNITS")]
    max_price: Option<u64>,

    /// Only those whose latest terms are in this mint.
    #[arg(long, value_name = "MINT")]
    currency: Option<Pubkey>,
}

pub async fn run(args: ListArgs, session: &Session) -> Result<(), CliError> {
    let works = WorkFilter {
        creator: args.creator.as_ref().map(Somebody::address).transpose()?,
        owner: args.owner.as_ref().map(Somebody::address).transpose()?,
        kind: args.kind.map(Into::into),
        status: args.status.map(Into::into),
        ..WorkFilter::default()
    };
    let offers = OfferFilter {
        licensed_use: args.licensed_use.map(Into::into),
        max_price: args.max_price,
        currency: args.currency,
    };
    let client = session.client().await?;
    let entries = client.catalogue(&works, &offers).await?;

    let json: Value = entries.iter().map(json).collect();
    let header = ["work", "kind", "status", "creator", "terms", "offered for"];
    session.answer(&json, table(header, &[4], entries.iter().map(row).collect()));
    Ok(())
}

fn json(entry: &CatalogueEntry) -> Value {
    let mut json = show::work_json(&entry.address, &entry.work);
    let uses = entry.terms.iter().flat_map(|published| &published.terms.offer.uses).map(|price| {
        json!({
            "use": UseWord::from(price.licensed_use),
            "price": price.price,
            "unit": UnitWord::from(price.unit),
        })
    });
    json["uses"] = uses.collect();
    json["currency"] =
        json!(entry.terms.as_ref().map(|published| published.terms.currency.to_string()));
    json
}

fn row(entry: &CatalogueEntry) -> [String; 6] {
    let work = &entry.work;
    let uses = entry.terms.iter().flat_map(|published| &published.terms.offer.uses);
    let uses = uses.map(|price| {
        let (licensed_use, unit) = (UseWord::from(price.licensed_use), UnitWord::from(price.unit));
        format!("{licensed_use} at {}/{unit}", grouped(price.price))
    });
    let offered = uses.collect::<Vec<_>>().join(", ");
    [
        entry.address.to_string(),
        KindWord::from(work.kind).to_string(),
        StatusWord::from(work.status).to_string(),
        work.creator.to_string(),
        work.latest_terms.to_string(),
        if offered.is_empty() { "-".to_owned() } else { offered },
    ]
}
