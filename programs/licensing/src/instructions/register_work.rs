use anchor_lang::prelude::*;

use crate::{
    error::LicensingError,
    event::WorkRegistered,
    parent_right::{Lineage, ParentArgs},
    state::{Consent, Fingerprint, Model, Share, Work, WorkKind, WorkStatus, check_split},
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
    /// Last unix second of the consent; `None` for no end.
    pub consent_expires_at: Option<i64>,
    /// Of a style model, and of nothing else.
    pub model: Option<ModelArgs>,
    /// In the order of their accounts.
    pub parents: Vec<ParentArgs>,
    pub split: Vec<Share>,
}

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ModelArgs {
    /// The model it adapts, as its publisher calls it.
    pub base_model: String,
    /// Merkle root over the content digests of everything it was trained on.
    pub training_root: [u8; 32],
    /// It can make a person's likeness, so that person has to consent.
    pub likeness: bool,
}

/// Remaining accounts: for each parent, in the order of `args.parents`, those that its
/// [`ParentRight`](crate::parent_right::ParentRight) names.
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

    /// The person whose voice or likeness this is; required for a voice.
    pub consent: Option<Signer<'info>>,

    /// The style model that this one replaces.
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

impl RegisterWorkArgs {
    fn space(&self) -> usize {
        let name_bytes = self.model.as_ref().map(|model| model.base_model.len());
        Work::space(self.parents.len(), self.split.len(), self.metadata_uri.len(), name_bytes)
    }

    fn check(&self) -> Result<()> {
        require!(self.content_digest != [0; 32], LicensingError::EmptyDigest);
        require!(self.metadata_uri.len() <= Work::MAX_URI_BYTES, LicensingError::UriTooLong);
        check_split(&self.split)
    }

    /// Voices are persons', and so are likenesses.
    fn needs_consent(&self) -> bool {
        let likeness = self.model.as_ref().is_some_and(|model| model.likeness);
        self.kind == WorkKind::Voice || likeness || self.consent_expires_at.is_some()
    }
}

impl RegisterWork<'_> {
    /// The consent that the person gives by signing.
    fn consent(&self, args: &RegisterWorkArgs, now: i64) -> Result<Option<Consent>> {
        let signed = self.consent.is_some() || !args.needs_consent();
        require!(signed, LicensingError::MissingConsent);
        let future = args.consent_expires_at.is_none_or(|end| end > now);
        require!(future, LicensingError::InvalidConsentEnd);
        let expires_at = args.consent_expires_at;
        Ok(self.consent.as_ref().map(|person| Consent { person: person.key(), expires_at }))
    }

    /// What a style model says of itself; another work says nothing of the kind.
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
