use clap::Args;
use motif_gateway::config::example;
use serde_json::json;

use super::settings::SettingsArgs;
use crate::{answer, error::CliError, session::Session};

/// What to check.
#[derive(Args)]
pub struct CheckArgs {
    /// Print a file that states every setting with its default, instead.
    #[arg(long)]
    example: bool,

    #[command(flatten)]
    settings: SettingsArgs,
}

/// Says everything that is wrong, or what the settings come to. Reads files, asks no network.
pub fn run(args: CheckArgs, session: &Session) -> Result<(), CliError> {
    if args.example {
        answer::print_text(example().trim_end());
        return Ok(());
    }
    let config = args.settings.read(session).map_err(CliError::GatewaySettings)?;
    session.answer(&json!({ "good": true }), format!("nothing is wrong with this:\n{config:#?}"));
    Ok(())
}
