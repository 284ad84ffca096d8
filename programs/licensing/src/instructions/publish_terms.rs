use anchor_lang::prelude::*;
use anchor_spl::token_interface::Mint;
use motif_interface::licensing::{LicensingError, PublishTermsArgs, Terms, Work};

use crate::event::TermsPublished;

#[derive(Accounts)]
#[instruction(args: PublishTermsArgs)]
pub struct PublishTerms<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,

    #[account(mut, has_one = owner @ LicensingError::NotOwner)]
    pub work: Account<'info, Work>,

    #[account(
        init,
        payer = owner,
        space = Terms::space(
            args.offer.uses.len(),
            args.offer.operators.len(),
            args.offer.legal_uri.len(),
        ),
        seeds = [Terms::SEED, work.key().as_ref(), &work.latest_terms.saturating_add(1).to_le_bytes()],
        bump,
    )]
    pub terms: Account<'info, Terms>,

    /// Typed, so that the currency of terms is an existing mint.
    pub currency: InterfaceAccount<'info, Mint>,

    pub system_program: Program<'info, System>,
}

pub fn handle_publish_terms(ctx: Context<PublishTerms>, args: PublishTermsArgs) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    args.offer.check(now)?;
    ctx.accounts.work.check_offer(&args.offer, now)?;
    let number = ctx.accounts.work.number_terms()?;

    let work = ctx.accounts.work.key();
    ctx.accounts.terms.set_inner(Terms {
        version: Terms::VERSION,
        bump: ctx.bumps.terms,
        work,
        number,
        currency: ctx.accounts.currency.key(),
        published_at: now,
        offer: args.offer,
    });
    emit!(TermsPublished { work, terms: ctx.accounts.terms.key(), number });
    Ok(())
}
