use anchor_lang::prelude::*;
use motif_interface::licensing::{LicensingError, UpdateMetadataArgs, Work};

use crate::event::MetadataUpdated;

#[derive(Accounts)]
#[instruction(new: UpdateMetadataArgs)]
pub struct UpdateMetadata<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,

    // Never shrinks: the owner would receive rent that the creator paid.
    #[account(
        mut,
        has_one = owner @ LicensingError::NotOwner,
        realloc = work
            .space_with_metadata(new.title.len(), new.metadata_uri.len())
            .max(work.to_account_info().data_len()),
        realloc::payer = owner,
        realloc::zero = false,
    )]
    pub work: Box<Account<'info, Work>>,

    pub system_program: Program<'info, System>,
}

pub fn handle_update_metadata(ctx: Context<UpdateMetadata>, new: UpdateMetadataArgs) -> Result<()> {
    let work = &mut ctx.accounts.work;
    work.update_metadata(new)?;
    emit!(MetadataUpdated {
        work: work.key(),
        title: work.title.clone(),
        metadata_digest: work.metadata_digest,
    });
    Ok(())
}
