use anchor_lang::prelude::*;
use licensing::{Terms, Use, UsePrice, Work, WorkStatus};
use solana_sha256_hasher::hash;

use crate::{
    error::PaymentsError,
    event::LicenceAccepted,
    state::{Channel, ChannelMut, ChannelRef, Issuance, Licence, Quota, day_of},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct AcceptArgs {
    pub licensed_use: Use,
    /// The most the payer agreed to per unit, base units.
    pub max_price: u64,
    /// SHA-256 of the terms account's data as the payer read it.
    pub terms_digest: [u8; 32],
    /// Wanted of the caps that licensees share; ignored where the terms have none.
    pub quota: Quota,
}

#[derive(Accounts)]
pub struct Accept<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,

    #[account(
        mut,
        has_one = payer @ PaymentsError::NotPayer,
        realloc = channel.as_ref().data_len() + Licence::SIZE,
        realloc::payer = payer,
        realloc::zero = true,
    )]
    pub channel: AccountLoader<'info, Channel>,

    pub work: Box<Account<'info, Work>>,

    #[account(has_one = work)]
    pub terms: Box<Account<'info, Terms>>,

    /// The work's owner, where the terms ask for its approval.
    pub approver: Option<Signer<'info>>,

    /// Where the terms have a cap that licensees share.
    #[account(
        init_if_needed,
        payer = payer,
        space = Issuance::SPACE,
        seeds = [Issuance::SEED, terms.key().as_ref()],
        bump,
    )]
    pub issuance: Option<Account<'info, Issuance>>,

    pub system_program: Program<'info, System>,
}

pub fn handle_accept(ctx: Context<Accept>, args: AcceptArgs) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let price = *ctx.accounts.check_offer(&args, now)?;
    if let Some(bump) = ctx.bumps.issuance {
        ctx.accounts.prepare_issuance(bump);
    }
    let licence = ctx.accounts.licence(&price, args.quota, now)?;
    let index = ctx.accounts.add(licence)?;

    emit!(LicenceAccepted {
        channel: ctx.accounts.channel.key(),
        index,
        work: licence.work,
        terms_number: licence.terms_number,
        price: licence.price,
        upfront_fee: ctx.accounts.terms.offer.upfront_fee,
    });
    Ok(())
}

impl Accept<'_> {
    /// The terms can be accepted now, by this payer, and are the ones it read.
    fn check_offer(&self, args: &AcceptArgs, now: i64) -> Result<&UsePrice> {
        let (work, terms) = (&self.work, &self.terms);
        require!(work.status == WorkStatus::Active, PaymentsError::WorkNotActive);
        require!(terms.number == work.latest_terms, PaymentsError::NotLatestTerms);
        require!(terms.valid_at(now), PaymentsError::TermsNotValidNow);
        let digest = hash(&terms.to_account_info().try_borrow_data()?).to_bytes();
        require!(digest == args.terms_digest, PaymentsError::TermsDigestMismatch);
        let same_currency = self.channel.load()?.mint == terms.currency;
        require!(same_currency, PaymentsError::CurrencyMismatch);
        if terms.offer.approval_required {
            let approver = self.approver.as_ref().map(|approver| approver.key());
            require!(approver == Some(work.owner), PaymentsError::ApprovalMissing);
        }
        let price = terms.price_of(args.licensed_use).ok_or(PaymentsError::UseNotLicensed)?;
        require!(price.price <= args.max_price, PaymentsError::PriceAboveMaximum);
        Ok(price)
    }

    fn prepare_issuance(&mut self, bump: u8) {
        let terms = self.terms.key();
        if let Some(issuance) = self.issuance.as_mut().filter(|issuance| issuance.version == 0) {
            issuance.version = Issuance::VERSION;
            issuance.bump = bump;
            issuance.terms = terms;
        }
    }

    /// The terms as the channel will keep them, with this licence's part of shared caps.
    fn licence(&mut self, price: &UsePrice, quota: Quota, now: i64) -> Result<Licence> {
        let offer = &self.terms.offer;
        let caps = &offer.caps;
        match self.issuance.as_mut() {
            Some(issuance) if caps.shared() => issuance.hand_out(caps, quota)?,
            None if !caps.shared() => {}
            _ => return err!(PaymentsError::IssuanceAccount),
        }
        let units_quota = caps.total_units.map_or(Licence::UNLIMITED, |_| quota.units);
        let units_cap = caps.licensee_units.unwrap_or(Licence::UNLIMITED);
        Ok(Licence {
            work: self.terms.work,
            terms_number: self.terms.number,
            licensed_use: price.licensed_use as u8,
            unit: price.unit as u8,
            reserved: [0; 2],
            day: day_of(now),
            reserved_too: [0; 4],
            price: price.price,
            units: 0,
            free_units_left: offer.free_units,
            units_left: units_quota.min(units_cap),
            daily_units: caps.daily_units.unwrap_or(Licence::UNLIMITED),
            units_today: 0,
            revenue_left: caps.revenue.map_or(Licence::UNLIMITED, |_| quota.revenue),
            expires_at: offer.expires_at.unwrap_or(i64::MAX),
            settled: 0,
            collected: 0,
        })
    }

    /// Writes the licence into the entry that `realloc` made room for; returns its index.
    fn add(&self, mut licence: Licence) -> Result<u16> {
        let fee = self.terms.offer.upfront_fee;
        licence.credit_upfront(fee)?;
        let index = ChannelRef::open(&self.channel)?.licence_count - 1;
        require!(index < Channel::MAX_LICENCES, PaymentsError::TooManyLicences);
        let mut open = ChannelMut::open(&self.channel)?;
        open.channel.charge_upfront(fee)?;
        open.licences[index] = licence;
        Ok(index as u16) // below `MAX_LICENCES`
    }
}
