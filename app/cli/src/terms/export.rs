use clap::{Args, ValueEnum};
use motif_sdk::terms::{
    cawg,
    rsl::{self, Placement},
};
use serde_json::{Value, json};

use super::{currency, show::numbered};
use crate::{error::CliError, reference::WorkReference, session::Session};

/// Whose terms, and how to state them.
#[derive(Args)]
pub struct ExportArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// How to state them.
    #[arg(long)]
    format: Format,

    /// Which version [default: the latest].
    #[arg(long)]
    number: Option<u32>,

    /// For RSL: which content, as a path in robots.txt or a URL.
    #[arg(long, default_value = "/", value_name = "URL")]
    content_url: String,

    /// For RSL: where a license can be had, such as a page that leads to your gateway.
    #[arg(long, value_name = "URL")]
    licensing_url: Option<String>,
}

/// A format that others read.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Really Simple Licensing 1.0, XML for robots.txt.
    Rsl,
    /// CAWG training and data mining assertion 1.1, JSON for content credentials.
    Cawg,
}

pub async fn run(args: ExportArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let terms = numbered(&client, &work, args.number).await?.terms;
    let denomination = currency::denomination(&client, &terms.currency).await?;
    let source = format!("Motif terms {} of {work}", terms.number);
    let now = session.now();
    let (document, text) = match args.format {
        Format::Rsl => {
            let (content_url, licensing_url) = (args.content_url, args.licensing_url);
            let placement = Placement { content_url, licensing_url, source };
            let xml = rsl::document(&terms.offer, &denomination, &placement, now);
            let xml = xml.map_err(|error| CliError::NoDocument(error.to_string()))?;
            (Value::String(xml.clone()), xml)
        }
        Format::Cawg => {
            let assertion = cawg::assertion(&terms.offer, &denomination, &source, now);
            let text = format!("{assertion:#}");
            (assertion, text)
        }
    };
    session.answer(&json!({ "number": terms.number, "document": document }), text);
    Ok(())
}
