//! Time of the cluster that runs the program.

use anchor_lang::prelude::*;
use motif_interface::payments::Moment;

/// Returns the current time.
#[inline(always)]
pub fn now() -> Result<Moment> {
    let clock = Clock::get()?;
    Ok(Moment { unix_seconds: clock.unix_timestamp, slot: clock.slot })
}
