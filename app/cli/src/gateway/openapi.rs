use clap::Args;

use crate::{answer, error::CliError, session::Session};

/// Which interface.
#[derive(Args)]
pub struct OpenapiArgs {
    /// That of the operators' listener.
    #[arg(long)]
    admin: bool,
}

/// One line with `--json`, many otherwise; the same document.
pub fn run(args: &OpenapiArgs, session: &Session) -> Result<(), CliError> {
    let document =
        if args.admin { motif_gateway::admin_openapi() } else { motif_gateway::openapi() };
    let text = if session.json { document.to_json() } else { document.to_pretty_json() };
    let text = text.map_err(|error| CliError::NoDocument(error.to_string()))?;
    answer::print_text(text);
    Ok(())
}
