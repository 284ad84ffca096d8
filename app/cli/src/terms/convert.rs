use std::{fmt, path::PathBuf};

use clap::{Args, ValueEnum};
use motif_sdk::terms::{
    cawg,
    pil::{self, Imported},
    rsl::{self, Placement},
};
use serde::Serialize;
use serde_json::Value;

use super::show::read_terms;
use crate::{
    currency,
    error::CliError,
    reference::{WorkArgs, read_file},
    session::Session,
};

/// Arguments of `motif terms export`.
#[derive(Args)]
pub struct ExportArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Format to convert to
    #[arg(long)]
    format: Format,

    /// Version of the terms [default: the latest]
    #[arg(long, value_name = "NUMBER")]
    number: Option<u32>,

    /// Content that the terms apply to, as a path in robots.txt or a URL (RSL only)
    #[arg(long, default_value = "/", value_name = "URL")]
    content_url: String,

    /// Page where licenses are available, such as one about your gateway (RSL only)
    #[arg(long, value_name = "URL")]
    licensing_url: Option<String>,
}

/// Format of exported terms.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Really Simple Licensing 1.0, XML for robots.txt
    Rsl,
    /// CAWG training and data mining assertion 1.1, JSON for content credentials
    Cawg,
}

/// Arguments of `motif terms import-pil`.
#[derive(Args)]
pub struct ImportPilArgs {
    /// JSON of Story's PILTerms, including off-chain terms if any
    file: PathBuf,

    /// Decimals of the currency of its amounts
    #[arg(long, value_name = "DECIMALS", default_value_t = pil::USUAL_DECIMALS)]
    decimals: u8,
}

/// Output of `motif terms export`.
#[derive(Serialize)]
struct ExportOutput {
    number: u32,
    /// XML as text, or JSON.
    document: Value,
}

pub async fn export(args: ExportArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let terms = read_terms(&client, &work, args.number).await?.terms;
    let denomination = currency::denomination(&client, &terms.currency).await?;
    let source = format!("Motif terms {} of {work}", terms.number);
    let now = session.now();
    let document = match args.format {
        Format::Rsl => {
            let (content_url, licensing_url) = (args.content_url, args.licensing_url);
            let placement = Placement { content_url, licensing_url, source };
            let xml = rsl::document(&terms.offer, &denomination, &placement, now);
            Value::String(xml.map_err(|error| CliError::DocumentUnwritable(error.to_string()))?)
        }
        Format::Cawg => cawg::assertion(&terms.offer, &denomination, &source, now),
    };
    session.print(&ExportOutput { number: terms.number, document });
    Ok(())
}

impl fmt::Display for ExportOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.document {
            Value::String(xml) => formatter.write_str(xml),
            json => write!(formatter, "{json:#}"),
        }
    }
}

/// Output of `motif terms import-pil`.
#[derive(Serialize)]
struct ImportOutput {
    /// The terms file.
    document: String,
    warnings: Vec<WarningOutput>,
}

/// Field of the PIL that has no exact equivalent.
#[derive(Serialize)]
struct WarningOutput {
    field: String,
    message: String,
}

pub fn import_pil(args: &ImportPilArgs, session: &Session) -> Result<(), CliError> {
    let path = args.file.display().to_string();
    let json = String::from_utf8_lossy(&read_file(&args.file)?).into_owned();
    let imported = pil::import(&json, args.decimals, session.now());
    let imported = imported.map_err(|error| CliError::InvalidPil { path: path.clone(), error })?;
    if !session.json {
        for warning in &imported.warnings {
            session.status(format_args!("warning: {}: {}", warning.field, warning.message));
        }
    }
    let warnings = imported.warnings.iter().map(|warning| WarningOutput {
        field: warning.field.to_string(),
        message: warning.message.to_string(),
    });
    let warnings = warnings.collect();
    session.print(&ImportOutput { document: with_warnings(&imported, &path), warnings });
    Ok(())
}

/// Returns the terms file with the warnings as comments at its head.
fn with_warnings(imported: &Imported, path: &str) -> String {
    let warnings = imported.warnings.iter();
    let warnings: String = warnings
        .map(|warning| format!("# {}: {}\n", warning.field, warning.message.replace('\n', " ")))
        .collect();
    let path = path.replace('\n', " ");
    format!("# Imported from the PIL in {path}.\n{warnings}\n{}", imported.document.to_toml())
}

impl fmt::Display for ImportOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.document.trim_end())
    }
}
