use clap::Args;
use motif_sdk::terms::Preset;
use serde_json::json;

use crate::{answer::table, error::CliError, session::Session};

/// Which preset.
#[derive(Args)]
pub struct PresetArgs {
    /// Its name [default: list all].
    name: Option<Preset>,
}

pub fn run(args: &PresetArgs, session: &Session) -> Result<(), CliError> {
    if let Some(preset) = args.name {
        let document = preset.starting_document();
        let json = json!({ "preset": preset.to_string(), "document": document });
        session.answer(&json, document.trim_end());
        return Ok(());
    }
    let described = |preset: &Preset| json!({ "preset": preset.to_string(), "description": preset.description() });
    let json: Vec<_> = Preset::ALL.iter().map(described).collect();
    let rows = Preset::ALL.map(|preset| [preset.to_string(), preset.description().to_owned()]);
    session.answer(&json!({ "presets": json }), table(["preset", "comes to"], &[], rows.to_vec()));
    Ok(())
}
