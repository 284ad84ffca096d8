use anchor_lang::prelude::*;
use motif_interface::licensing::Work;

use crate::event::ConsentEndSet;

#[derive(Accounts)]
pub struct SetConsentEnd<'info> {
    /// Person who consented to the use of their voice or likeness.
    pub person: Signer<'info>,

    #[account(mut)]
    pub work: Box<Account<'info, Work>>,
}

pub fn handle_set_consent_end(ctx: Context<SetConsentEnd>, expires_at: Option<i64>) -> Result<()> {
    let SetConsentEnd { person, work } = ctx.accounts;
    work.set_consent_end(person.key, expires_at)?;
    emit!(ConsentEndSet { work: work.key(), expires_at });
    Ok(())
}
