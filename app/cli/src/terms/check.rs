use std::path::PathBuf;

use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::terms::{Denomination, Document, check, summary};
use serde_json::json;

use super::currency;
use crate::{error::CliError, session::Session};

/// Which file.
#[derive(Args)]
pub struct CheckArgs {
    /// File of terms.
    file: PathBuf,

    /// Decimals of a currency that is not known without a cluster.
    #[arg(long, value_name = "DECIMALS")]
    decimals: Option<u8>,
}

pub fn run(args: &CheckArgs, session: &Session) -> Result<(), CliError> {
    let refuse = |error| CliError::document(Some(&args.file), error);
    let document = Document::open(&args.file).map_err(refuse)?;
    let mint = document.currency.map_or_else(|| TestDollar::new().mint, |named| named.0);
    let said = args.decimals.map(|decimals| Denomination::of(&mint, decimals));
    let denomination = currency::known(&mint).or(said);
    let decimals = denomination.as_ref().map(|denomination| denomination.decimals);
    let offer = document.offer(decimals).map_err(refuse)?;
    check(&offer, session.now()).map_err(refuse)?;

    let base_units =
        || Denomination { name: format!("base units of {mint}"), decimals: 0, iso_4217: None };
    let summary = summary(&offer, &denomination.unwrap_or_else(base_units));
    let complete = Document::from_offer(mint, &offer).to_toml();
    session.answer(&json!({ "summary": summary, "document": complete }), summary.trim_end());
    Ok(())
}
