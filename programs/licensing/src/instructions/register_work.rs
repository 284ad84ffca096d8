use anchor_lang::prelude::*;
use motif_interface::licensing::{
    Consent, LicensingError, Model, RegisterWorkArgs, Work, WorkKind, WorkStatus,
};

use crate::{event::WorkRegistered, parent_right::Lineage};

/// Remaining accounts: for each parent, in the order of `args.parents`, those that its
/// [`ParentRight`](motif_interface::licensing::ParentRight) names.
#[derive(Accounts)]
#[instruction(args: RegisterWorkArgs)]
pub struct RegisterWork<'info> {
    #[account(mut)]
    pub creator: Signer<'info>,

    #[account(
        init,
        payer = creator,
        space = args.space(),
        seeds = [Work::SEED, creator.key().as_ref(), &args.content_digest],
        bump,
    )]
    pub work: Box<Account<'info, Work>>,

    /// Person whose voice or likeness this is; required for a voice.
    pub consent: Option<Signer<'info>>,

    /// Style model that this one replaces.
    pub previous_model: Option<Box<Account<'info, Work>>>,

    pub system_program: Program<'info, System>,
}

pub fn handle_register_work<'info>(
    ctx: Context<'info, RegisterWork<'info>>,
    args: RegisterWorkArgs,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let creator = ctx.accounts.creator.key();
    args.check()?;
    let consent = ctx.accounts.consent(&args, now)?;
    let model = ctx.accounts.model(&args)?;
    let Lineage { parents, inherited } =
        Lineage::check(&creator, &args.parents, ctx.remaining_accounts, now)?;
    let lasts = inherited.expires_at.is_none_or(|end| end >= args.min_expires_at);
    require!(lasts, LicensingError::InheritedEndTooEarly);

    ctx.accounts.work.set_inner(Work {
        version: Work::VERSION,
        bump: ctx.bumps.work,
        kind: args.kind,
        status: WorkStatus::Active,
        latest_terms: 0,
        split_version: 0,
        verdict_version: 0,
        disputes: 0,
        verdict_dispute: 0,
        verdict_terms: 0,
        verdict_keeps_recipients: false,
        withdrawn_at: i64::MAX,
        registered_at: now,
        creator,
        owner: creator,
        content_digest: args.content_digest,
        fingerprint: args.fingerprint,
        metadata_digest: args.metadata_digest,
        consent,
        certificate: None,
        pending_owner: None,
        inherited,
        model,
        title: args.title,
        metadata_uri: args.metadata_uri,
        parents,
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

impl RegisterWork<'_> {
    /// Returns the consent that the person gives by signing.
    fn consent(&self, args: &RegisterWorkArgs, now: i64) -> Result<Option<Consent>> {
        let signed = self.consent.is_some() || !args.needs_consent();
        require!(signed, LicensingError::MissingConsent);
        let future = args.consent_expires_at.is_none_or(|end| end > now);
        require!(future, LicensingError::InvalidConsentEnd);
        let expires_at = args.consent_expires_at;
        Ok(self.consent.as_ref().map(|person| Consent { person: person.key(), expires_at }))
    }

    /// Returns the model of a style model; `None` for every other kind.
    fn model(&self, args: &RegisterWorkArgs) -> Result<Option<Model>> {
        let previous = self.previous_model.as_ref();
        let Some(model) = &args.model else {
            require!(args.kind != WorkKind::StyleModel, LicensingError::MissingModel);
            require!(previous.is_none(), LicensingError::UnexpectedModel);
            return Ok(None);
        };
        require!(args.kind == WorkKind::StyleModel, LicensingError::UnexpectedModel);
        let replaceable = previous.is_none_or(|work| {
            work.kind == WorkKind::StyleModel && work.owner == self.creator.key()
        });
        require!(replaceable, LicensingError::InvalidPreviousModel);
        let model = Model {
            base_model: model.base_model.clone(),
            training_root: model.training_root,
            previous: previous.map(|work| work.key()),
        };
        model.check()?;
        Ok(Some(model))
    }
}
