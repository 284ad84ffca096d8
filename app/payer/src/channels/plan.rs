use std::sync::Arc;

use motif_sdk::{
    Error, Pubkey,
    channel::{Channel, License, Licensee},
    gateway::wire::{Amount, Use},
};
use solana_signer::Signer;

use super::{Channels, PaidChannel, TopUpError, most_cost};
use crate::{
    callers::Caller, clock::now, day::Day, deposits::Deposits, problem::PayerError,
    settings::ChannelSettings,
};

/// Units of a use of a work, which are bought through an operator.
#[derive(Clone, Copy, Debug)]
pub struct UnitsWanted {
    /// Operator.
    pub operator: Pubkey,
    /// Work.
    pub work: Pubkey,
    /// Use.
    pub licensed_use: Use,
    /// Maximum units.
    pub units: u32,
}

/// What a payment needs, within the policy, and nothing of it done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Maximum cost of the units, base units, fee included.
    pub cost: u64,
    /// License of the units.
    pub license: PlannedLicense,
    /// Available amount of the channel, base units; `None` if one is opened.
    available: Option<u64>,
    /// What payments under way and holds bind of it, base units.
    bound: u64,
}

/// License that a payment uses.
#[derive(Clone, Copy, Debug)]
pub enum PlannedLicense {
    /// License of the channel, with its index.
    Accepted(u16, License),
    /// Terms that are accepted first.
    New(AcceptableTerms),
}

/// Terms of a use that the policy allows to accept.
#[derive(Clone, Copy, Debug)]
pub struct AcceptableTerms {
    /// Price of a unit, base units.
    pub(super) price: u64,
    /// Fee that the acceptance charges once, base units.
    pub(super) upfront_fee: u64,
    /// Whether the acceptance creates an account of the licensee.
    pub(super) is_per_licensee: bool,
}

/// What a payment would need first; a dry run prints it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Preparation {
    /// Whether a channel would be opened.
    pub opens_channel: bool,
    /// Whether terms would be accepted.
    pub accepts_terms: bool,
    /// Whether the channel would be topped up.
    pub tops_up: bool,
    /// Upfront fee of the terms that would be accepted, base units.
    pub upfront_fee: Amount,
}

/// Tokens that are locked in channels and that the wallet has, base units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Funds {
    pub locked: u64,
    pub max_locked: u64,
    pub balance: u64,
}

/// Channel and license that a payment uses.
pub struct Prepared {
    /// Channel.
    pub channel: Arc<PaidChannel>,
    /// Index of the license.
    pub index: u16,
    /// License.
    pub license: License,
    /// Maximum cost of the units, base units, fee included.
    pub cost: u64,
}

impl Plan {
    /// Returns the fee that an acceptance charges once, base units.
    pub fn upfront_fee(&self) -> u64 {
        match &self.license {
            PlannedLicense::New(terms) => terms.upfront_fee,
            PlannedLicense::Accepted(..) => 0,
        }
    }
}

impl Funds {
    /// Checks that a deposit may be locked, and that the wallet has `tokens`.
    pub fn check(&self, deposit: u64, tokens: u64) -> Result<(), &'static str> {
        if self.locked.saturating_add(deposit) > self.max_locked {
            return Err("`channels.max_locked` is reached");
        }
        if self.balance < tokens {
            return Err(PayerError::WALLET_IS_EMPTY);
        }
        Ok(())
    }
}

impl ChannelSettings {
    /// Returns the amount of a top-up that adds at least `missing`, base units.
    pub(super) fn top_up_of(&self, missing: u64) -> Result<u64, &'static str> {
        match self.top_up {
            0 => Err("`channels.top_up` is 0"),
            amount => Ok(amount.max(missing)),
        }
    }
}

impl Channels {
    /// Returns what units need on the channel with their operator, or on a new one. The price is the one on
    /// chain.
    ///
    /// # Errors
    /// [`PayerError::PriceTooHigh`], [`PayerError::UnknownOperator`], [`PayerError::Chain`]; as
    /// [`Channels::acceptable_terms`].
    pub async fn plan(
        &self,
        open: Option<&PaidChannel>,
        wanted: &UnitsWanted,
    ) -> Result<Plan, PayerError> {
        let UnitsWanted { operator, work, licensed_use, units } = wanted;
        let accepted = open.and_then(|open| open.license(work, *licensed_use));
        let (license, price) = match accepted {
            Some((index, license)) => (PlannedLicense::Accepted(index, license), license.price),
            None => {
                let terms = self.acceptable_terms(work, *licensed_use).await?;
                (PlannedLicense::New(terms), terms.price)
            }
        };
        if let Some(max) = self.policy.max_unit_price.filter(|max| price > *max) {
            return Err(PayerError::PriceTooHigh { price, max });
        }
        let (available, bound, operator_fee_bps) = match open {
            Some(open) => {
                (Some(open.payer.available()?), open.holds.bound(), open.operator_fee_bps)
            }
            None => (None, 0, self.client.operator(operator).await?.fee_bps),
        };
        let cost = most_cost(price, *units, operator_fee_bps);
        Ok(Plan { cost, license, available, bound })
    }

    /// Checks that SOL, deposits and the wallet allow everything that a plan needs together.
    ///
    /// # Errors
    /// As [`Channels::prepare`].
    pub async fn preparation(
        &self,
        wanted: &UnitsWanted,
        plan: &Plan,
    ) -> Result<Preparation, PayerError> {
        let chain = self.chain.lock().await;
        self.check_plan(wanted, plan, &chain).await
    }

    /// Opens a channel and accepts the terms for a caller, if the plan needs it, once SOL, deposits and the
    /// wallet allow all of it. Cost and upfront fee must be reserved in the budgets.
    ///
    /// # Errors
    /// [`PayerError::OverSolBudget`], [`PayerError::NoChannel`], [`PayerError::DepositUsedUp`],
    /// [`PayerError::TermsNotAccepted`]: nothing was signed; [`PayerError::Chain`].
    pub async fn prepare(
        &self,
        caller: &Caller,
        wanted: &UnitsWanted,
        mut plan: Plan,
    ) -> Result<Prepared, PayerError> {
        let licensed = (&wanted.work, wanted.licensed_use);
        let prepared = |channel: Arc<PaidChannel>, (index, license): (u16, License)| {
            let cost = channel.cost(&license, wanted.units);
            Prepared { channel, index, license, cost }
        };
        let mut chain = self.chain.lock().await;
        // A concurrent request may have opened and accepted.
        let open = self.opened().get(&wanted.operator).cloned();
        if let Some(open) = &open
            && let Some(accepted) = open.license(licensed.0, licensed.1)
        {
            return Ok(prepared(open.clone(), accepted));
        }
        let PlannedLicense::New(terms) = plan.license else {
            return Err(PayerError::Chain("the channel has just closed".to_owned()));
        };
        plan.available = match &open {
            Some(open) => Some(open.payer.available()?),
            None => None,
        };
        self.check_plan(wanted, &plan, &chain).await?;
        let channel = match open {
            Some(open) => open,
            None => {
                let gateway = self.known_gateway(&wanted.operator).await?;
                let (address, account) = self.open_channel(&wanted.operator, &mut chain).await?;
                self.open_payer(gateway, address, &account).await?
            }
        };
        let accepted = self.accept(&channel, caller, licensed, terms, &mut chain).await?;
        Ok(prepared(channel, accepted))
    }

    /// Returns a work's latest terms for a use, if the policy allows to accept them.
    ///
    /// # Errors
    /// [`PayerError::TermsNotAccepted`], [`PayerError::UseNotLicensed`], [`PayerError::PriceTooHigh`],
    /// [`PayerError::OtherCurrency`], [`PayerError::Chain`].
    async fn acceptable_terms(
        &self,
        work: &Pubkey,
        licensed_use: Use,
    ) -> Result<AcceptableTerms, PayerError> {
        let refuse =
            |reason: &str| PayerError::TermsNotAccepted { work: *work, reason: reason.to_owned() };
        let max = self.policy.max_unit_price;
        let max = max.ok_or_else(|| refuse("`policy.max_unit_price` is not set"))?;
        let works = &self.policy.works;
        if !works.is_empty() && !works.iter().any(|listed| listed.0 == *work) {
            return Err(refuse("the work is not in `policy.works`"));
        }
        let terms = match self.client.latest_terms(work).await {
            Err(Error::NotFound { .. }) => return Err(PayerError::UnknownWork(*work)),
            found => found?.terms,
        };
        if terms.currency != self.currency.mint {
            return Err(PayerError::OtherCurrency(terms.currency, self.currency.mint));
        }
        let price = terms.price_of(licensed_use).map(|price| price.price);
        let price = price.ok_or(PayerError::UseNotLicensed { work: *work, licensed_use })?;
        if price > max {
            return Err(PayerError::PriceTooHigh { price, max });
        }
        let upfront_fee = terms.offer.upfront_fee;
        if upfront_fee > self.policy.max_upfront_fee {
            return Err(refuse("the upfront fee is above `policy.max_upfront_fee`"));
        }
        if terms.offer.caps.shared() {
            return Err(refuse(
                "a shared cap needs a quota: accept them with `motif channel accept`",
            ));
        }
        let is_per_licensee = Licensee::needed_by(&terms.offer);
        Ok(AcceptableTerms { price, upfront_fee, is_per_licensee })
    }

    async fn check_plan(
        &self,
        wanted: &UnitsWanted,
        plan: &Plan,
        chain: &Deposits,
    ) -> Result<Preparation, PayerError> {
        let UnitsWanted { operator, work, .. } = *wanted;
        let upfront_fee = plan.upfront_fee();
        let mut preparation =
            Preparation { upfront_fee: Amount(upfront_fee), ..Preparation::default() };
        let mut lamports = 0_u64;
        let deposit = match plan.available {
            Some(_) => 0,
            None => self.settings.deposit,
        };
        if plan.available.is_none() {
            if deposit == 0 {
                return Err(PayerError::NoChannel { operator, reason: "`channels.deposit` is 0" });
            }
            preparation.opens_channel = true;
            lamports = lamports.saturating_add(self.opening_lamports().await?);
        }
        if let PlannedLicense::New(terms) = &plan.license {
            preparation.accepts_terms = true;
            lamports = lamports.saturating_add(self.acceptance_lamports(terms).await?);
        }
        let today = Day::of(now());
        if lamports > 0 {
            self.wallet_spending.check(lamports, today)?;
        }
        let available = plan.available.unwrap_or(deposit);
        let least = plan.cost.saturating_add(plan.bound).max(self.settings.top_up_below);
        if deposit == 0 && upfront_fee == 0 && available >= least {
            return Ok(preparation);
        }
        let funds = self.funds(chain).await?;
        let tokens = deposit.saturating_add(upfront_fee);
        if deposit > 0 {
            let checked = funds.check(deposit, tokens);
            checked.map_err(|reason| PayerError::NoChannel { operator, reason })?;
        } else if funds.balance < upfront_fee {
            let reason = PayerError::WALLET_IS_EMPTY.to_owned();
            return Err(PayerError::TermsNotAccepted { work, reason });
        }
        if available >= least {
            return Ok(preparation);
        }
        let lamports = lamports.saturating_add(self.client.max_fee());
        let allowed = self.wallet_spending.check(lamports, today).map_err(TopUpError::Failed);
        let allowed = allowed.and_then(|()| {
            let more = self.settings.top_up_of(least - available);
            let checked = more.and_then(|more| {
                funds.check(deposit.saturating_add(more), tokens.saturating_add(more))
            });
            checked.map_err(TopUpError::Refused)
        });
        match allowed {
            Ok(()) => preparation.tops_up = true,
            // What is left covers this payment, once those under way have ended.
            Err(_) if available >= plan.cost => {}
            Err(TopUpError::Refused(reason)) => {
                return Err(PayerError::DepositUsedUp { available, needed: plan.cost, reason });
            }
            Err(TopUpError::Failed(error)) => return Err(error),
        }
        Ok(preparation)
    }

    /// Returns the maximum that opening a channel takes from the wallet, lamports.
    async fn opening_lamports(&self) -> Result<u64, PayerError> {
        Ok(self.rent(Channel::space(0)).await?.saturating_add(self.client.max_fee()))
    }

    /// Returns the maximum that an acceptance takes from the wallet, lamports.
    async fn acceptance_lamports(&self, terms: &AcceptableTerms) -> Result<u64, PayerError> {
        Ok(self.acceptance_rent(terms).await?.saturating_add(self.client.max_fee()))
    }

    /// Returns the rent of an acceptance, lamports.
    pub(super) async fn acceptance_rent(&self, terms: &AcceptableTerms) -> Result<u64, PayerError> {
        let license = self.rent(License::SIZE).await?.saturating_sub(self.rent(0).await?);
        let licensee = match terms.is_per_licensee {
            true => self.rent(Licensee::SPACE).await?,
            false => 0,
        };
        Ok(license.saturating_add(licensee))
    }

    /// Returns what the voucher key's channels have locked, and what the wallet has.
    pub(super) async fn funds(&self, chain: &Deposits) -> Result<Funds, PayerError> {
        let channels = self.client.channels(Some(&self.wallet.pubkey()), None).await?;
        let own = channels.into_iter().filter(|(_, account)| {
            let is_open = account.channel.withdrawn == 0;
            is_open && self.is_own(account)
        });
        let unspent = own.map(|(_, account)| {
            let charged = account.channel.charged().unwrap_or(0);
            account.channel.deposited.saturating_sub(charged)
        });
        let locked = unspent.fold(chain.pending(now()), u64::saturating_add);
        let balance = self.client.token_balance(&self.wallet.pubkey(), &self.currency).await?;
        Ok(Funds { locked, max_locked: self.max_locked, balance })
    }
}
