//! `motif terms`: licensing terms of works.

mod convert;
mod offer;
mod show;

use std::{fmt, path::PathBuf};

use clap::{Args, Subcommand};
use motif_sdk::terms::{Denomination, Document, Preset, check as check_offer, summary};
use serde::Serialize;

pub use offer::{OfferArgs, PreparedOffer};
pub use show::{UseOutput, read_terms};

use crate::{
    currency,
    error::CliError,
    output::{pairs, table},
    reference::WorkArgs,
    session::Session,
};

/// Commands of `motif terms`.
#[derive(Subcommand)]
pub enum TermsCommand {
    /// Publish the next version of a work's terms; licenses of earlier versions stay as they are
    Publish(Box<PublishArgs>),
    /// Show a work's terms
    Show(show::ShowArgs),
    /// List presets, or print one as a terms file to start from
    Preset(PresetArgs),
    /// Validate and summarize a terms file, offline
    Check(CheckArgs),
    /// Convert a Story PIL (JSON) into a terms file
    ImportPil(convert::ImportPilArgs),
    /// Convert a work's terms into RSL or a CAWG assertion
    Export(convert::ExportArgs),
}

/// Arguments of `motif terms publish`.
#[derive(Args)]
pub struct PublishArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Terms file; options override its values
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Publish without confirmation
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    offer: OfferArgs,
}

/// Arguments of `motif terms preset`.
#[derive(Args)]
pub struct PresetArgs {
    /// Name of the preset to print [default: list all]
    name: Option<Preset>,
}

/// Arguments of `motif terms check`.
#[derive(Args)]
pub struct CheckArgs {
    /// Terms file
    file: PathBuf,

    /// Decimals of the currency, unless it is the test dollar or USDC
    #[arg(long, value_name = "DECIMALS")]
    decimals: Option<u8>,
}

impl TermsCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Publish(args) => publish(*args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::Preset(args) => {
                preset(&args, session);
                Ok(())
            }
            Self::Check(args) => check(&args, session),
            Self::ImportPil(args) => convert::import_pil(&args, session),
            Self::Export(args) => convert::export(args, session).await,
        }
    }
}

/// Output of `motif terms publish`.
#[derive(Serialize)]
struct PublishOutput {
    work: String,
    terms: u32,
    address: String,
    summary: String,
    signature: String,
}

async fn publish(args: PublishArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let prepared = args.offer.prepare(args.file.as_deref(), &client, session.now()).await?;
    confirm(&prepared, args.yes, session)?;
    let PreparedOffer { currency, denomination, offer } = prepared;
    let summary = summary(&offer, &denomination);
    let (number, landed) = client.publish_terms(&work, &currency, offer).send(&owner).await?;
    session.print(&PublishOutput {
        work: work.to_string(),
        terms: number,
        address: motif_sdk::pda::terms(&work, number).to_string(),
        summary,
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for PublishOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[("work", &self.work), ("terms", &self.terms)]))
    }
}

/// Prints a summary of terms to publish, and asks for confirmation on a terminal.
///
/// # Errors
/// [`CliError::Declined`].
pub fn confirm(prepared: &PreparedOffer, yes: bool, session: &Session) -> Result<(), CliError> {
    if session.json {
        return Ok(());
    }
    session.status(summary(&prepared.offer, &prepared.denomination));
    let question = "Publish these terms? Licensees who accept them keep them.";
    if yes || session.confirm(question) { Ok(()) } else { Err(CliError::Declined) }
}

/// Output of `motif terms preset NAME`.
#[derive(Serialize)]
struct PresetOutput {
    preset: String,
    document: String,
}

/// Output of `motif terms preset`.
#[derive(Serialize)]
struct PresetsOutput {
    presets: Vec<PresetDescription>,
}

#[derive(Serialize)]
struct PresetDescription {
    preset: String,
    description: &'static str,
}

fn preset(args: &PresetArgs, session: &Session) {
    if let Some(preset) = args.name {
        let (preset, document) = (preset.to_string(), preset.starting_document());
        session.print(&PresetOutput { preset, document });
        return;
    }
    let describe = |preset: &Preset| PresetDescription {
        preset: preset.to_string(),
        description: preset.description(),
    };
    session.print(&PresetsOutput { presets: Preset::ALL.iter().map(describe).collect() });
}

impl fmt::Display for PresetOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.document.trim_end())
    }
}

impl fmt::Display for PresetsOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.presets.iter();
        let rows = rows.map(|preset| [preset.preset.clone(), preset.description.to_owned()]);
        formatter.write_str(&table(["preset", "terms"], &[], rows))
    }
}

/// Output of `motif terms check`.
#[derive(Serialize)]
struct CheckOutput {
    summary: String,
    /// The terms file with every value, amounts in base units.
    document: String,
}

fn check(args: &CheckArgs, session: &Session) -> Result<(), CliError> {
    let refuse = |error| CliError::document(Some(&args.file), error);
    let document = Document::open(&args.file).map_err(refuse)?;
    let mint = document.currency.map_or_else(currency::test_dollar, |named| named.0);
    let given = args.decimals.map(|decimals| Denomination::from_mint(&mint, decimals));
    let denomination = currency::known_denomination(&mint).or(given);
    let decimals = denomination.as_ref().map(|denomination| denomination.decimals);
    let offer = document.offer(decimals).map_err(refuse)?;
    check_offer(&offer, session.now()).map_err(refuse)?;

    let base_units =
        || Denomination { name: format!("base units of {mint}"), decimals: 0, iso_4217: None };
    session.print(&CheckOutput {
        summary: summary(&offer, &denomination.unwrap_or_else(base_units)),
        document: Document::from_offer(mint, &offer).to_toml(),
    });
    Ok(())
}

impl fmt::Display for CheckOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.summary.trim_end())
    }
}
