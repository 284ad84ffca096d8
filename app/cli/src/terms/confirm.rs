use motif_sdk::terms::summary;

use super::Offered;
use crate::{error::CliError, session::Session};

const QUESTION: &str = "Publish these terms? Whoever accepts them keeps them.";

/// Says what is about to be published, and waits for a yes where somebody can give it.
///
/// # Errors
/// [`CliError::Declined`].
pub fn confirm(offered: &Offered, yes: bool, session: &Session) -> Result<(), CliError> {
    if session.json {
        return Ok(());
    }
    session.say(summary(&offered.offer, &offered.denomination));
    if yes || session.agrees(QUESTION) { Ok(()) } else { Err(CliError::Declined) }
}
