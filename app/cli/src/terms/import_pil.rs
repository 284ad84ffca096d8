use std::path::PathBuf;

use clap::Args;
use motif_sdk::terms::pil::{self, Imported};
use serde_json::{Value, json};

use crate::{error::CliError, reference::read_file, session::Session};

/// Which PIL.
#[derive(Args)]
pub struct ImportPilArgs {
    /// JSON of Story's PILTerms, with the off-chain terms in it where there are any.
    file: PathBuf,

    /// Decimals of the currency its amounts are in.
    #[arg(long, value_name = "DECIMALS", default_value_t = pil::USUAL_DECIMALS)]
    decimals: u8,
}

pub fn run(args: &ImportPilArgs, session: &Session) -> Result<(), CliError> {
    let path = args.file.display().to_string();
    let json = String::from_utf8_lossy(&read_file(&args.file)?).into_owned();
    let imported = pil::import(&json, args.decimals, session.now());
    let imported = imported.map_err(|error| CliError::NotPil { path: path.clone(), error })?;

    if !session.json {
        for warning in &imported.warnings {
            session.say(format_args!("warning: {}: {}", warning.field, warning.message));
        }
    }
    let document = commented(&imported, &path);
    let warnings: Vec<Value> = imported
        .warnings
        .iter()
        .map(|warning| json!({ "field": warning.field, "message": warning.message }))
        .collect();
    let json = json!({ "document": document, "warnings": warnings });
    session.answer(&json, document.trim_end());
    Ok(())
}

/// The file of terms, with what it does not say at its head: whoever reads it later sees it too.
fn commented(imported: &Imported, path: &str) -> String {
    let warnings = imported.warnings.iter();
    let warnings: String = warnings
        .map(|warning| format!("# {}: {}\n", warning.field, warning.message.replace('\n', " ")))
        .collect();
    let path = path.replace('\n', " ");
    format!("# Imported from the PIL in {path}.\n{warnings}\n{}", imported.document.to_toml())
}
