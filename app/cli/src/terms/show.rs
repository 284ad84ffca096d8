use clap::Args;
use motif_sdk::{
    Pubkey,
    client::{Client, PublishedTerms},
    gateway::wire::{DerivativesWord, UnitWord, UseWord},
    licensing::Offer,
    terms::Document,
};
use serde_json::{Value, json};

use crate::{
    amount::{grouped, percent},
    answer::{pairs, table},
    error::CliError,
    reference::WorkReference,
    session::Session,
};

/// Which terms.
#[derive(Args)]
pub struct ShowArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// Which version [default: the latest].
    #[arg(long)]
    number: Option<u32>,

    /// As a file to publish with `motif terms publish --file`.
    #[arg(long)]
    toml: bool,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let published = numbered(&client, &work, args.number).await?;
    if args.toml {
        let document = toml(&published);
        session.answer(&json!({ "document": document }), document.trim_end());
    } else {
        session.answer(&json(&published), text(&published));
    }
    Ok(())
}

/// Terms by their number, or the latest.
///
/// # Errors
/// [`motif_sdk::Error::NotFound`]; [`motif_sdk::Error::Transport`].
pub async fn numbered(
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

fn json(published: &PublishedTerms) -> Value {
    let PublishedTerms { address, terms, digest } = published;
    let offer = &terms.offer;
    let uses = offer.uses.iter().map(|price| {
        json!({
            "use": UseWord::from(price.licensed_use),
            "price": price.price,
            "unit": UnitWord::from(price.unit),
        })
    });
    json!({
        "work": terms.work.to_string(),
        "number": terms.number,
        "address": address.to_string(),
        "digest": hex::encode(digest),
        "currency": terms.currency.to_string(),
        "published_at": terms.published_at,
        "uses": uses.collect::<Vec<_>>(),
        "commercial": offer.commercial,
        "attribution": offer.attribution,
        "sublicensing": offer.sublicensing,
        "approval_required": offer.approval_required,
        "derivatives": DerivativesWord::from(offer.derivatives),
        "derivative_share_bps": offer.derivative_share_bps,
        "share_alike": offer.share_alike,
        "upfront_fee": offer.upfront_fee,
        "free_units": offer.free_units,
        "caps": {
            "total_units": offer.caps.total_units,
            "daily_units": offer.caps.daily_units,
            "licensee_units": offer.caps.licensee_units,
            "revenue": offer.caps.revenue,
        },
        "valid_from": offer.valid_from,
        "expires_at": offer.expires_at,
        "notice_seconds": offer.notice_seconds,
        "legal_uri": offer.legal_uri,
        "legal_digest": hex::encode(offer.legal_digest),
    })
}

fn text(published: &PublishedTerms) -> String {
    let PublishedTerms { address, terms, .. } = published;
    let offer = &terms.offer;
    let uses = offer.uses.iter().map(|price| {
        let (licensed_use, unit) = (UseWord::from(price.licensed_use), UnitWord::from(price.unit));
        [licensed_use.to_string(), grouped(price.price), unit.to_string()]
    });
    let facts = pairs([
        ("terms", format!("number {} of {}", terms.number, terms.work)),
        ("address", address.to_string()),
        ("currency", terms.currency.to_string()),
        ("derivatives", derivatives(offer)),
        ("conditions", conditions(offer)),
        ("caps", caps(offer)),
        ("expires", offer.expires_at.map_or("never".to_owned(), |at| format!("at {at}"))),
    ]);
    format!("{facts}\n\n{}", table(["use", "price", "per"], &[1], uses.collect()))
}

fn derivatives(offer: &Offer) -> String {
    let name = DerivativesWord::from(offer.derivatives);
    match offer.derivative_share_bps {
        0 => name.to_string(),
        share_bps => format!("{name}, for {} of what they earn", percent(share_bps)),
    }
}

fn conditions(offer: &Offer) -> String {
    let flags = [
        (!offer.commercial, "non-commercial"),
        (offer.attribution, "attribution"),
        (offer.sublicensing, "sublicensing"),
        (offer.approval_required, "approval by the owner"),
        (offer.share_alike, "share alike"),
    ];
    let mut said: Vec<_> =
        flags.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()).collect();
    if offer.upfront_fee > 0 {
        said.push(format!("{} upfront", grouped(offer.upfront_fee)));
    }
    if offer.free_units > 0 {
        said.push(format!("{} units free", grouped(offer.free_units)));
    }
    if said.is_empty() { "none".to_owned() } else { said.join(", ") }
}

fn caps(offer: &Offer) -> String {
    let caps = [
        (offer.caps.total_units, "units in total"),
        (offer.caps.daily_units, "units a day and license"),
        (offer.caps.licensee_units, "units a license"),
        (offer.caps.revenue, "base units of revenue"),
    ];
    let said: Vec<_> = caps
        .iter()
        .filter_map(|(cap, name)| cap.map(|cap| format!("{} {name}", grouped(cap))))
        .collect();
    if said.is_empty() { "none".to_owned() } else { said.join(", ") }
}
