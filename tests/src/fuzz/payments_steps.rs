//! Calls of the payments program about channels.

use licensing::Use;
use motif_sdk::{
    channel::{self as sdk, AcceptTermsArgs, Acceptance, Cosigners, OpenChannelArgs, Quota},
    pda,
};
use payments::PaymentsError;
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use super::{
    Episode, Known, Step,
    licensing_steps::{USES, distinct, unless},
};
use crate::{
    model::{Accepting, Ledger, Opening},
    world::{Call, Person},
};

impl Episode {
    pub(super) fn channel(&mut self) -> Option<Pubkey> {
        let channels: Vec<_> = self.ledger.channels.keys().copied().collect();
        channels.choose(&mut self.random).copied()
    }

    pub(super) fn mint(&mut self) -> Pubkey {
        let mints: Vec<_> = self.cast.currencies.iter().map(|currency| currency.mint).collect();
        mints[usize::from(self.random.random_ratio(1, 3))]
    }

    pub(super) fn create_vault(&mut self) -> Option<Step> {
        let mint = self.mint();
        let currency = self.cast.currency(&mint);
        let funder = self.cast.any_person(&mut self.random);
        let call = Call::new([sdk::create_vault(&funder.key(), &currency)], &[&funder]);
        Some(Step::new("create_vault", call, move |ledger| ledger.create_vault(mint)))
    }

    pub(super) fn open_channel(&mut self) -> Option<Step> {
        if self.ledger.channels.len() >= 6 {
            return None;
        }
        let payer = self.cast.any_person(&mut self.random);
        let operator = match self.random.random_range(0..24) {
            0 => self.cast.any_person(&mut self.random).key(),
            1 if self.ledger.operators.contains_key(&payer.key()) => payer.key(),
            _ => self.some_operator()?,
        };
        let mint = self.mint();
        let hot = self.cast.hot.choose(&mut self.random)?.key();
        let voucher_key = match self.random.random_range(0..20) {
            0 => payer.key(),
            1 => pda::vault(&mint),
            2 => hot,
            _ => self.cast.key(&mut self.random).key(),
        };
        let asked = self.ledger.operators.get(&operator).map(|operator| {
            let conditions = &operator.conditions;
            (conditions.fee_bps, conditions.grace_seconds)
        });
        let (fee, grace) = asked.unwrap_or_default();
        let random = &mut self.random;
        let args = OpenChannelArgs {
            salt: random.random_range(0..2),
            voucher_key,
            operator_fee_bps: match random.random_range(0..10) {
                0 => fee.saturating_sub(1),
                1 => fee,
                _ => random.random_range(0..=5_200),
            },
            grace_seconds: match random.random_range(0..10) {
                0 => grace.saturating_sub(1),
                1 => grace,
                _ => random.random_range(800..=2_000_000),
            },
            deposit: match random.random_range(0..15) {
                0 => 0,
                1 => u64::MAX,
                _ => random.random_range(1..=2_000_000),
            },
            watcher: None,
        };
        let watched = random.random_ratio(1, 3);
        let watcher = watched.then(|| self.cast.any_person(&mut self.random).key());
        let args = OpenChannelArgs { watcher, ..args };
        let insiders = [payer.key(), voucher_key];
        let insider = |key| self.ledger.belongs_to_operator(key, &operator);
        let self_metered = insiders.iter().any(insider);
        let step = self.opening_channel(&payer, operator, mint, args);
        Some(if self_metered { step.of_attack("payer meters itself") } else { step })
    }

    pub(super) fn opening_channel(
        &mut self,
        payer: &Person,
        operator: Pubkey,
        mint: Pubkey,
        args: OpenChannelArgs,
    ) -> Step {
        let currency = self.cast.currency(&mint);
        let address = pda::channel(&payer.key(), &operator, &mint, args.salt);
        self.know(address, Known::Channel);
        let what = Opening {
            payer: payer.key(),
            operator,
            mint,
            salt: args.salt,
            voucher_key: args.voucher_key,
            fee_bps: args.operator_fee_bps,
            grace_seconds: args.grace_seconds,
            deposit: args.deposit,
            watcher: args.watcher,
        };
        let instruction = sdk::open(&payer.key(), &operator, &currency, args);
        let call = Call::new([instruction], &[payer]);
        Step::new("open_channel", call, move |ledger| ledger.open_channel(address, &what))
    }

    pub(super) fn top_up(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let payer = self.cast.mostly(&of.payer, &mut self.random);
        let amount = match self.random.random_range(0..20) {
            0 => 0,
            1 => u64::MAX,
            _ => self.random.random_range(1..=1_000_000),
        };
        Some(self.topping_up(channel, &payer, amount))
    }

    pub(super) fn topping_up(&self, channel: Pubkey, payer: &Person, amount: u64) -> Step {
        let currency = self.cast.currency(&self.ledger.channels[&channel].mint);
        let instruction = sdk::top_up(&payer.key(), &channel, &currency, amount);
        let (caller, call) = (payer.key(), Call::new([instruction], &[payer]));
        Step::new("top_up", call, move |ledger| ledger.top_up(caller, channel, amount))
    }

    pub(super) fn accept(&mut self) -> Option<Step> {
        let (work, number) = self.some_terms()?;
        let terms = self.ledger.works[&work].terms[&number].clone();
        let in_currency: Vec<_> = self
            .ledger
            .channels
            .iter()
            .filter(|(_, channel)| channel.mint == terms.mint)
            .filter(|(_, channel)| channel.closes_at == crate::model::NEVER)
            .filter(|(_, channel)| {
                terms.operators.is_empty() || terms.operators.contains(&channel.operator)
            })
            .map(|(address, _)| *address)
            .collect();
        let fitting = in_currency.choose(&mut self.random).copied();
        let channel = fitting.filter(|_| self.random.random_ratio(19, 20));
        let channel = channel.or_else(|| self.channel())?;
        let payer = self.ledger.channels[&channel].payer;
        let payer = self.cast.mostly(&payer, &mut self.random);
        let licensed_use: Use = *USES[..2].choose(&mut self.random)?;
        let offered = terms.prices.iter().find(|(other, _)| *other == licensed_use);
        let price = offered.map_or(0, |(_, price)| *price);
        let random = &mut self.random;
        let quota = |random: &mut rand::rngs::StdRng, cap: Option<u64>| {
            let most = cap.unwrap_or(100);
            match random.random_range(0..12) {
                0 => 0,
                1 => u64::MAX,
                _ => random.random_range(0..=most / 2 + 1),
            }
        };
        let (units, revenue) = (quota(random, terms.total_units), quota(random, terms.revenue));
        let mut digest = terms.digest;
        if random.random_ratio(1, 25) {
            digest[0] ^= 1;
        }
        let max_price = if random.random_ratio(1, 25) { price.saturating_sub(1) } else { price };
        let consent_end = self.ledger.works[&work].consent_end();
        let end = [terms.expires_at, consent_end].into_iter().flatten().min();
        let min_expires_at = match (end, random.random_range(0..12)) {
            (None, _) | (_, 0..6) => i64::MIN,
            (Some(end), 6) => end.saturating_add(1),
            (Some(end), _) => end,
        };
        let shared_caps = terms.shared_caps() != random.random_ratio(1, 40);
        let per_licensee = terms.once_each() != random.random_ratio(1, 40);
        let deposits = terms.upfront_fee > 0 || terms.shared_caps();
        let fee_accounts = deposits != random.random_ratio(1, 40);
        let wanted = terms.approval_required;
        let owner = self.ledger.works[&work].owner;
        let approval = terms.approvals.contains_key(&(payer.key(), false));
        let approver = (wanted && !approval || self.random.random_ratio(1, 30))
            .then(|| self.cast.mostly(&owner, &mut self.random));
        let what = Accepting {
            payer: payer.key(),
            work,
            terms: number,
            licensed_use,
            max_price,
            digest,
            min_expires_at,
            quota_units: units,
            quota_revenue: revenue,
            approver: approver.as_ref().map(Person::key),
            approval,
            issuance: shared_caps,
            licensee: per_licensee,
            fee_accounts,
        };
        Some(self.accepting(channel, payer, approver, what))
    }

    /// Accepts terms on a channel; `payer` and `approver` sign.
    pub(super) fn accepting(
        &self,
        channel: Pubkey,
        payer: Person,
        approver: Option<Person>,
        what: Accepting,
    ) -> Step {
        let mint = self.ledger.works[&what.work].terms[&what.terms].mint;
        let acceptance = Acceptance {
            work: what.work,
            terms_number: what.terms,
            approver: what.approver,
            approval: what.approval,
            per_licensee: what.licensee,
            shared_caps: what.issuance,
            deposit_currency: what.fee_accounts.then(|| self.cast.currency(&mint)),
        };
        let args = AcceptTermsArgs {
            licensed_use: what.licensed_use,
            max_price: what.max_price,
            terms_digest: what.digest,
            quota: Quota { units: what.quota_units, revenue: what.quota_revenue },
            min_expires_at: what.min_expires_at,
        };
        let instruction = sdk::accept_terms(&payer.key(), &channel, &acceptance, args);
        let mut signers = vec![payer];
        signers.extend(approver);
        let call = Call::new([instruction], &distinct(&signers));
        Step::new("accept_terms", call, move |ledger| ledger.accept(channel, &what))
    }

    pub(super) fn apply_withdrawal(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let licenses = &self.ledger.channels[&channel].licenses;
        let withdrawn = |work: &Pubkey| self.ledger.works[work].withdrawn_at.is_some();
        let pairs: Vec<_> = (0..)
            .zip(licenses)
            .filter(|(_, license)| withdrawn(&license.work))
            .map(|(index, license): (u16, _)| (index, license.work))
            .collect();
        let all: Vec<_> =
            (0..).zip(licenses).map(|(index, license)| (index, license.work)).collect();
        let any = all.choose(&mut self.random).copied()?;
        let pair = pairs.choose(&mut self.random).copied().unwrap_or(any);
        Some(self.applying_withdrawal(channel, pair))
    }

    /// Applies the withdrawal of a work to a license, given by its index and work.
    pub(super) fn applying_withdrawal(&self, channel: Pubkey, license: (u16, Pubkey)) -> Step {
        let call = Call::new([sdk::apply_withdrawal(&channel, &[license])], &[]);
        Step::new("apply_withdrawal", call, move |ledger| {
            let others = other_works(ledger, &channel, &[license]);
            unless(others, PaymentsError::InvalidWorkAccounts, ledger, |ledger| {
                ledger.apply_withdrawal(channel, &[license.0])
            })
        })
    }

    pub(super) fn release_quota(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let (payer, operator) = (of.payer, of.operator);
        let holding: Vec<_> = (0..)
            .zip(&of.licenses)
            .filter(|(_, license)| license.holds_quota())
            .map(|(index, license)| (index, license.work, license.terms_number))
            .collect();
        let all: Vec<_> = (0..)
            .zip(&of.licenses)
            .map(|(index, license)| (index, license.work, license.terms_number))
            .collect();
        let any = all.choose(&mut self.random).copied()?;
        let chosen = holding.choose(&mut self.random).copied();
        let (index, work, terms) =
            chosen.filter(|_| self.random.random_ratio(9, 10)).unwrap_or(any);
        let caller = self.cast.mostly(&operator, &mut self.random);
        let agrees = self.random.random_ratio(2, 3);
        let cosigner = agrees.then(|| self.cast.mostly(&payer, &mut self.random));
        let alone = cosigner.is_none() && caller.key() == operator;
        let signers = [caller].into_iter().chain(cosigner).collect();
        let step = self.releasing_quota(channel, signers, index, (work, terms));
        Some(if alone { step.of_attack("operator takes a quota alone") } else { step })
    }

    /// Releases the quota of a license of these terms. The first signer calls, a second one agrees.
    pub(super) fn releasing_quota(
        &self,
        channel: Pubkey,
        signers: Vec<Person>,
        index: u16,
        (work, terms): (Pubkey, u32),
    ) -> Step {
        let keys: Vec<_> = signers.iter().map(Person::key).collect();
        let (caller, party) = (keys[0], keys.get(1).copied());
        let instruction = sdk::release_quota(&caller, party, &channel, index, &work, terms);
        let call = Call::new([instruction], &distinct(&signers));
        Step::new("release_quota", call, move |ledger| {
            ledger.release_quota(&keys, channel, index, (work, terms))
        })
    }

    pub(super) fn rotate_voucher_key(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let (payer, operator) = (of.payer, of.operator);
        let payer = self.cast.mostly(&payer, &mut self.random);
        let agrees = self.random.random_ratio(1, 2);
        let operator = agrees.then(|| self.cast.mostly(&operator, &mut self.random));
        let key = match self.random.random_range(0..12) {
            0 => payer.key(),
            1 => channel,
            _ => self.cast.key(&mut self.random).key(),
        };
        let watcher = self.ledger.channels[&channel].watcher.filter(|_| agrees);
        let watcher = watcher.map(|watcher| self.cast.mostly(&watcher, &mut self.random));
        let agreed = Cosigners {
            party: operator.as_ref().map(Person::key),
            watcher: watcher.as_ref().map(Person::key),
        };
        let signers = [payer].into_iter().chain(operator).chain(watcher).collect();
        Some(self.rotating_voucher_key(channel, signers, agreed, key))
    }

    /// Rotates the voucher key. The first signer calls, the others are the cosigners.
    pub(super) fn rotating_voucher_key(
        &self,
        channel: Pubkey,
        signers: Vec<Person>,
        agreed: Cosigners,
        key: Pubkey,
    ) -> Step {
        let caller = signers[0].key();
        let instruction = sdk::rotate_voucher_key(&caller, &agreed, &channel, key);
        let call = Call::new([instruction], &distinct(&signers));
        Step::new("rotate_voucher_key", call, move |ledger| {
            ledger.rotate_voucher_key(caller, (agreed.party, agreed.watcher), channel, key)
        })
    }

    pub(super) fn request_close(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = &self.ledger.channels[&channel];
        let party = if self.random.random_bool(0.6) { of.payer } else { of.operator };
        let other = if party == of.payer { of.operator } else { of.payer };
        let watcher = of.watcher;
        let caller = self.cast.mostly(&party, &mut self.random);
        let agrees = self.random.random_ratio(1, 3);
        let cosigner = agrees.then(|| self.cast.mostly(&other, &mut self.random));
        let watcher = watcher.filter(|_| self.random.random_bool(0.5));
        let watcher = watcher.map(|watcher| self.cast.mostly(&watcher, &mut self.random));
        let cosigners = Cosigners {
            party: cosigner.as_ref().map(Person::key),
            watcher: watcher.as_ref().map(Person::key),
        };
        let of = &self.ledger.channels[&channel];
        let alone = cosigner.is_none() && caller.key() == of.operator && of.payer != of.operator;
        let signers = [caller].into_iter().chain(cosigner).chain(watcher).collect();
        let step = self.requesting_close(channel, signers, &cosigners);
        Some(if alone { step.of_attack("operator closes alone") } else { step })
    }

    /// Requests the close of a channel. The first signer calls, the others are the cosigners.
    pub(super) fn requesting_close(
        &self,
        channel: Pubkey,
        signers: Vec<Person>,
        cosigners: &Cosigners,
    ) -> Step {
        let keys: Vec<_> = signers.iter().map(Person::key).collect();
        let instruction = sdk::request_close(&keys[0], cosigners, &channel);
        let call = Call::new([instruction], &distinct(&signers));
        Step::new("request_close", call, move |ledger| ledger.request_close(&keys, channel))
    }

    pub(super) fn withdraw(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let payer = self.ledger.channels[&channel].payer;
        let payer = self.cast.mostly(&payer, &mut self.random);
        Some(self.withdrawing(channel, &payer))
    }

    pub(super) fn withdrawing(&self, channel: Pubkey, payer: &Person) -> Step {
        let currency = self.cast.currency(&self.ledger.channels[&channel].mint);
        let instruction = sdk::withdraw(&payer.key(), &channel, &currency);
        let (caller, call) = (payer.key(), Call::new([instruction], &[payer]));
        Step::new("withdraw", call, move |ledger| ledger.withdraw(caller, channel).map(drop))
    }

    pub(super) fn close_channel(&mut self) -> Option<Step> {
        let withdrawn: Vec<_> = self
            .ledger
            .channels
            .iter()
            .filter(|(_, channel)| channel.refunded.is_some())
            .map(|(address, _)| *address)
            .collect();
        let channel = withdrawn.choose(&mut self.random).copied().or_else(|| self.channel())?;
        let payer = self.ledger.channels[&channel].payer;
        let payer = self.cast.mostly(&payer, &mut self.random);
        Some(self.closing_channel(channel, &payer))
    }

    pub(super) fn closing_channel(&self, channel: Pubkey, payer: &Person) -> Step {
        let instruction = sdk::close(&payer.key(), &channel);
        let (caller, call) = (payer.key(), Call::new([instruction], &[payer]));
        Step::new("close_channel", call, move |ledger| ledger.close_channel(caller, channel))
    }
}

/// Returns whether the channel's licenses are of other works than in the call, because it was
/// closed and reopened.
pub(super) fn other_works(ledger: &Ledger, channel: &Pubkey, named: &[(u16, Pubkey)]) -> bool {
    let Some(channel) = ledger.channels.get(channel) else { return false };
    named.iter().any(|(index, work)| {
        let license = channel.licenses.get(usize::from(*index));
        license.is_some_and(|license| license.work != *work)
    })
}
