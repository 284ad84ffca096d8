use anchor_lang::prelude::*;

use crate::{
    error::LicensingError,
    event::WorkRegistered,
    state::{
        Fingerprint, Parent, Share, Terms, Work, WorkKind, WorkStatus, check_parents, check_split,
    },
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct RegisterWorkArgs {
    pub kind: WorkKind,
    /// SHA-256 of the content.
    pub content_digest: [u8; 32],
    pub fingerprint: Fingerprint,
    /// SHA-256 of what `metadata_uri` points to.
    pub metadata_digest: [u8; 32],
    pub metadata_uri: String,
    pub parents: Vec<Parent>,
    pub split: Vec<Share>,
}

/// Remaining accounts: for each parent, in the order of `args.parents`, its work and then
/// either its owner, signing, or its latest terms, which must allow the derivative.
#[derive(Accounts)]
#[instruction(args: RegisterWorkArgs)]
pub struct RegisterWork<'info> {
    #[account(mut)]
    pub creator: Signer<'info>,

    #[account(
        init,
        payer = creator,
        space = Work::space(args.parents.len(), args.split.len(), args.metadata_uri.len()),
        seeds = [Work::SEED, creator.key().as_ref(), &args.content_digest],
        bump,
    )]
    pub work: Account<'info, Work>,

    /// The person whose voice or likeness this is; required for a voice.
    pub consent: Option<Signer<'info>>,

    pub system_program: Program<'info, System>,
}

pub fn handle_register_work<'info>(
    ctx: Context<'info, RegisterWork<'info>>,
    args: RegisterWorkArgs,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    require!(args.content_digest != [0; 32], LicensingError::EmptyDigest);
    require!(args.metadata_uri.len() <= Work::MAX_URI_BYTES, LicensingError::UriTooLong);
    check_split(&args.split)?;
    check_parents(&args.parents)?;
    check_lineage(&args.parents, ctx.remaining_accounts, now)?;
    let consent = ctx.accounts.consent.as_ref().map(|person| person.key());
    let voice = args.kind == WorkKind::Voice;
    require!(consent.is_some() || !voice, LicensingError::ConsentMissing);

    let creator = ctx.accounts.creator.key();
    ctx.accounts.work.set_inner(Work {
        version: Work::VERSION,
        bump: ctx.bumps.work,
        kind: args.kind,
        status: WorkStatus::Active,
        creator,
        owner: creator,
        content_digest: args.content_digest,
        fingerprint: args.fingerprint,
        registered_at: now,
        latest_terms: 0,
        split_version: 0,
        consent,
        certificate: None,
        metadata_digest: args.metadata_digest,
        metadata_uri: args.metadata_uri,
        parents: args.parents,
        split: args.split,
    });
    emit!(WorkRegistered {
        work: ctx.accounts.work.key(),
        creator,
        kind: args.kind,
        content_digest: args.content_digest,
    });
    Ok(())
}

/// Each parent is a registered, active work that agrees to this derivative: by its owner's
/// signature, or by its latest terms.
fn check_lineage<'info>(
    parents: &[Parent],
    accounts: &'info [AccountInfo<'info>],
    now: i64,
) -> Result<()> {
    require!(accounts.len() == parents.len() * 2, LicensingError::ParentAccounts);
    for (parent, pair) in parents.iter().zip(accounts.chunks_exact(2)) {
        let (work_info, consent) = (&pair[0], &pair[1]);
        require_keys_eq!(work_info.key(), parent.work, LicensingError::ParentAccounts);
        let work: Account<Work> = Account::try_from(work_info)?;
        require!(work.status == WorkStatus::Active, LicensingError::ParentNotActive);
        if consent.key() == work.owner {
            require!(consent.is_signer, LicensingError::ApprovalMissing);
            continue;
        }
        let terms: Account<Terms> = Account::try_from(consent)?;
        let of_this_parent = terms.work == parent.work;
        require!(of_this_parent, LicensingError::ParentAccounts);
        require!(terms.number == work.latest_terms, LicensingError::NotLatestTerms);
        terms.check_derivative(parent.share_bps, now)?;
    }
    Ok(())
}
