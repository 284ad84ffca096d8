use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use motif_interface::{
    channel::AcceptTermsArgs,
    licensing::{Approval, Purpose, Terms, Use, UsePrice, Work, WorkStatus},
    payments::{Channel, Issuance, License, Licensee, PaymentsError, Quota, Vault, day_of},
};
use solana_sha256_hasher::hash;

use crate::{event::LicenseAccepted, state::ChannelMut, token::VaultAccounts};

#[derive(Accounts)]
#[instruction(args: AcceptTermsArgs)]
pub struct AcceptTerms<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,

    #[account(
        mut,
        has_one = payer @ PaymentsError::NotPayer,
        realloc = channel.as_ref().data_len() + License::SIZE,
        realloc::payer = payer,
        realloc::zero = true,
    )]
    pub channel: AccountLoader<'info, Channel>,

    pub work: Box<Account<'info, Work>>,

    #[account(has_one = work)]
    pub terms: Box<Account<'info, Terms>>,

    /// Owner of the work, if the terms require an approval and none was granted.
    pub approver: Option<Signer<'info>>,

    /// Approval that the owner granted; checked by the handler.
    pub approval: Option<Box<Account<'info, Approval>>>,

    /// Needed for terms with free units or caps per licensee.
    #[account(
        init_if_needed,
        payer = payer,
        space = Licensee::SPACE,
        seeds = [
            Licensee::SEED,
            terms.key().as_ref(),
            payer.key().as_ref(),
            &[Licensee::use_byte(args.licensed_use)],
        ],
        bump,
    )]
    pub licensee: Option<Box<Account<'info, Licensee>>>,

    /// Needed for terms with a shared cap.
    #[account(
        init_if_needed,
        payer = payer,
        space = Issuance::SPACE,
        seeds = [Issuance::SEED, terms.key().as_ref()],
        bump,
    )]
    pub issuance: Option<Box<Account<'info, Issuance>>>,

    pub system_program: Program<'info, System>,

    /// Needed for terms with an upfront fee or a shared cap, like the accounts below.
    pub mint: Option<Box<InterfaceAccount<'info, Mint>>>,

    #[account(
        has_one = mint,
        has_one = token_program,
        constraint = vault.mint == terms.currency @ PaymentsError::CurrencyMismatch,
    )]
    pub vault: Option<Box<Account<'info, Vault>>>,

    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = vault,
        associated_token::token_program = token_program,
    )]
    pub vault_tokens: Option<Box<InterfaceAccount<'info, TokenAccount>>>,

    #[account(mut, token::mint = mint, token::authority = payer)]
    pub payer_tokens: Option<Box<InterfaceAccount<'info, TokenAccount>>>,

    pub token_program: Option<Interface<'info, TokenInterface>>,
}

pub fn handle_accept_terms(ctx: Context<AcceptTerms>, args: AcceptTermsArgs) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let price = *ctx.accounts.check_offer(&args, now)?;
    ctx.accounts.mark_licensee(price.licensed_use, ctx.bumps.licensee)?;
    if let Some(bump) = ctx.bumps.issuance {
        ctx.accounts.prepare_issuance(bump);
    }
    let license = ctx.accounts.license(&price, args.quota, now)?;
    let (index, deposited) = ctx.accounts.add(license)?;
    ctx.accounts.deposit(deposited)?;

    emit!(LicenseAccepted {
        channel: ctx.accounts.channel.key(),
        index,
        work: license.work,
        terms_number: license.terms_number,
        price: license.price,
        upfront_fee: ctx.accounts.terms.offer.upfront_fee,
    });
    Ok(())
}

impl AcceptTerms<'_> {
    /// Checks that this payer can accept the terms now, and that they are the ones it read.
    fn check_offer(&self, args: &AcceptTermsArgs, now: i64) -> Result<&UsePrice> {
        let (work, terms) = (&self.work, &self.terms);
        require!(work.status == WorkStatus::Active, PaymentsError::WorkNotActive);
        require!(terms.number == work.latest_terms, PaymentsError::NotLatestTerms);
        require!(terms.valid_at(now), PaymentsError::TermsNotValidNow);
        let digest = hash(&terms.to_account_info().try_borrow_data()?).to_bytes();
        require!(digest == args.terms_digest, PaymentsError::TermsDigestMismatch);
        let same_currency = self.channel.load()?.mint == terms.currency;
        require!(same_currency, PaymentsError::CurrencyMismatch);
        let operator = self.channel.load()?.operator;
        require!(terms.offer.allows_operator(&operator), PaymentsError::OperatorNotNamed);
        let consented = work.consent.is_none_or(|consent| consent.valid_at(now));
        require!(consented, PaymentsError::ConsentEnded);
        let approved = !terms.offer.approval_required || self.approved();
        require!(approved, PaymentsError::MissingApproval);
        let price = terms.price_of(args.licensed_use).ok_or(PaymentsError::UseNotLicensed)?;
        require!(price.price <= args.max_price, PaymentsError::PriceAboveMaximum);
        let end = terms.offer.license_end(work.consent.as_ref());
        require!(end >= args.min_expires_at, PaymentsError::LicenseEndsEarly);
        Ok(price)
    }

    /// Returns whether the work's owner has signed or has granted this payer an approval.
    fn approved(&self) -> bool {
        let owner = self.work.owner;
        let signed = self.approver.as_ref().is_some_and(|approver| approver.key() == owner);
        let (terms, payer) = (self.terms.key(), self.payer.key());
        let granted = self.approval.as_ref();
        let granted =
            granted.is_some_and(|yes| yes.holds(&terms, &payer, Purpose::License, &owner));
        signed || granted
    }

    /// Marks the payer as a licensee, if the terms have free units or caps per licensee.
    fn mark_licensee(&mut self, licensed_use: Use, bump: Option<u8>) -> Result<()> {
        let (terms, payer) = (self.terms.key(), self.payer.key());
        let needed = Licensee::needed_by(&self.terms.offer);
        match self.licensee.as_mut().zip(bump).filter(|_| needed) {
            Some((licensee, bump)) => {
                require!(licensee.version == 0, PaymentsError::AlreadyLicensed);
                let licensed_use = Licensee::use_byte(licensed_use);
                let version = Licensee::VERSION;
                licensee.set_inner(Licensee { version, bump, terms, payer, licensed_use });
                Ok(())
            }
            None => {
                let neither = !needed && self.licensee.is_none();
                require!(neither, PaymentsError::InvalidLicenseeAccount);
                Ok(())
            }
        }
    }

    fn prepare_issuance(&mut self, bump: u8) {
        let terms = self.terms.key();
        if let Some(issuance) = self.issuance.as_mut().filter(|issuance| issuance.version == 0) {
            issuance.version = Issuance::VERSION;
            issuance.bump = bump;
            issuance.terms = terms;
        }
    }

    /// Creates the license and issues its quota of shared caps, which must have a price that can be
    /// earmarked.
    fn license(&mut self, price: &UsePrice, quota: Quota, now: i64) -> Result<License> {
        let offer = &self.terms.offer;
        let caps = &offer.caps;
        let quota = quota.within(caps);
        match self.issuance.as_mut() {
            Some(issuance) if caps.shared() => issuance.issue(caps, quota)?,
            None if !caps.shared() => {}
            _ => return err!(PaymentsError::InvalidIssuanceAccount),
        }
        quota.worth(caps, offer.quota_price())?;
        let units_cap = caps.licensee_units.unwrap_or(License::UNLIMITED);
        Ok(License {
            work: self.terms.work,
            terms_number: self.terms.number,
            licensed_use: price.licensed_use as u8,
            unit: price.unit as u8,
            holds_quota: u8::from(caps.shared()),
            reserved: 0,
            day: day_of(now),
            notice_seconds: offer.notice_seconds,
            price: price.price,
            quota_price: caps.total_units.map_or(0, |_| offer.quota_price()),
            units: 0,
            free_units_left: offer.free_units,
            units_left: caps.total_units.map_or(units_cap, |_| quota.units),
            daily_units: caps.daily_units.unwrap_or(License::UNLIMITED),
            units_today: 0,
            revenue_left: caps.revenue.map_or(License::UNLIMITED, |_| quota.revenue),
            expires_at: offer.license_end(self.work.consent.as_ref()),
            settled: 0,
            collected: 0,
        })
    }

    /// Moves `amount` base units, the upfront fee and the price of the quota, from the payer's
    /// tokens into the vault.
    fn deposit(&self, amount: u64) -> Result<()> {
        let Self { mint, vault, vault_tokens, payer_tokens, token_program, .. } = self;
        match (mint, vault, vault_tokens, payer_tokens, token_program) {
            (None, None, None, None, None) if amount == 0 => Ok(()),
            (Some(mint), Some(vault), Some(vault_tokens), Some(payer_tokens), Some(_))
                if amount > 0 =>
            {
                let vault = VaultAccounts {
                    vault,
                    tokens: vault_tokens.to_account_info(),
                    mint: mint.to_account_info(),
                };
                let from = payer_tokens.to_account_info();
                vault.transfer_in(from, self.payer.to_account_info(), amount)
            }
            _ => err!(PaymentsError::InvalidDepositAccounts),
        }
    }

    /// Writes the license into the entry that `realloc` added. Returns its index, and the amount to
    /// deposit: the upfront fee, and the price of the quota with the operator's fee on it.
    ///
    /// Both come from the payer's tokens: the deposit that backs vouchers stays whole, and a part of
    /// shared caps is held only with the money to use it.
    fn add(&self, mut license: License) -> Result<(u16, u64)> {
        let fee = self.terms.offer.upfront_fee;
        license.credit_upfront(fee)?;
        let mut open = ChannelMut::open(&self.channel)?;
        let index = open.licenses.len() - 1; // `realloc` added one
        require!(index < Channel::MAX_LICENSES, PaymentsError::TooManyLicenses);
        open.channel.charge_upfront(fee)?;
        let mut deposited = fee;
        if license.holds_quota == 1 {
            let earmarked = open.channel.earmark(license.earmark())?;
            deposited = fee.checked_add(earmarked).ok_or(PaymentsError::Overflow)?;
        }
        open.licenses[index] = license;
        Ok((index as u16, deposited)) // below `MAX_LICENSES`
    }
}
