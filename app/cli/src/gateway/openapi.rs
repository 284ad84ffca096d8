use crate::{answer, error::CliError, session::Session};

/// One line with `--json`, many otherwise; the same document.
pub fn run(session: &Session) -> Result<(), CliError> {
    let document = motif_gateway::openapi();
    let text = if session.json { document.to_json() } else { document.to_pretty_json() };
    let text = text.map_err(|error| CliError::NoDocument(error.to_string()))?;
    answer::print_text(text);
    Ok(())
}
