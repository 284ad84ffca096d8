use anchor_lang::prelude::*;

use crate::{event::ConsentEndSet, state::Work};

#[derive(Accounts)]
pub struct SetConsentEnd<'info> {
    /// Consented to the use of its voice or likeness.
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
