//! Acknowledged vouchers that are not settled, and calls by which a payer could
//! void them.

use licensing::{Caps, Offer, Unit, UsePrice};
use motif_sdk::pda;
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use super::{Episode, Step, licensing_steps::USES, settle_steps::Prepared};
use crate::{
    model::{Accepting, NEVER, Status, Terms},
    world::Call,
};

/// Acknowledged voucher that is not settled.
#[derive(Clone)]
pub(super) struct Acknowledged {
    /// Authority of the operator.
    operator: Pubkey,
    operator_account: Pubkey,
    /// Voucher key.
    key: Pubkey,
    licenses: Vec<u16>,
    prepared: Prepared,
}

impl Episode {
    /// Acknowledges a voucher for as much of the free deposit as can settle.
    pub(super) fn acknowledge(&mut self) -> &'static str {
        match self.voucher() {
            Some((channel, voucher)) => {
                self.acknowledged.insert(channel, voucher);
                "a voucher is acknowledged"
            }
            None => "nothing",
        }
    }

    fn voucher(&mut self) -> Option<(Pubkey, Acknowledged)> {
        let licensed = self.ledger.channels.iter().filter(|(_, channel)| {
            let closed = channel.closed(self.ledger.now, self.ledger.slot);
            let now = self.ledger.now;
            let mut licenses = channel.licenses.iter();
            !closed && licenses.any(|license| license.price > 0 && license.expires_at >= now)
        });
        let licensed: Vec<_> = licensed.map(|(address, _)| *address).collect();
        let address = *licensed.choose(&mut self.random)?;
        let channel = &self.ledger.channels[&address];
        let priced: Vec<_> = (0_u16..)
            .zip(&channel.licenses)
            .filter(|(_, license)| license.price > 0 && license.expires_at >= self.ledger.now)
            .map(|(index, license)| (index, license.price))
            .collect();
        let mut chosen: Vec<_> = priced.choose_multiple(&mut self.random, 3).copied().collect();
        chosen.sort_unstable();
        let (_, dearest) = chosen.iter().max_by_key(|(_, price)| *price)?;
        let free = channel.deposited - channel.committed();
        let mut units = u32::try_from(free / dearest).unwrap_or(u32::MAX).max(1);
        loop {
            let entries: Vec<_> = chosen.iter().map(|(license, _)| (*license, units)).collect();
            let voucher = self.acknowledged_voucher(&address, &entries)?;
            if self.settles(&voucher) {
                return Some((address, voucher));
            }
            units = units.checked_div(2).filter(|units| *units > 0)?;
        }
    }

    fn acknowledged_voucher(
        &self,
        address: &Pubkey,
        entries: &[(u16, u32)],
    ) -> Option<Acknowledged> {
        let operator = self.ledger.channels[address].operator;
        let prepared = self.exact_statement(address, entries)?;
        Some(Acknowledged {
            operator,
            operator_account: pda::operator(&operator),
            key: prepared.what.signer,
            licenses: entries.iter().map(|(license, _)| *license).collect(),
            prepared,
        })
    }

    /// Returns the settlement of a voucher by the operator's settle key of now.
    fn settlement(&self, voucher: &Acknowledged) -> Option<Call> {
        let settler = self.cast.find(&self.ledger.settle_key(&voucher.operator))?;
        Some(voucher.prepared.call(settler))
    }

    /// Simulates the settlement of a voucher.
    fn simulate(&self, voucher: &Acknowledged) -> Result<(), String> {
        let call = self.settlement(voucher).ok_or("the settle key is unknown")?;
        let simulated = self.world.svm.simulate_transaction(self.world.transaction(&call));
        simulated.map(drop).map_err(|failed| super::report::reason(&failed))
    }

    /// Returns whether the operator could settle a voucher now, by simulation.
    fn settles(&self, voucher: &Acknowledged) -> bool {
        self.simulate(voucher).is_ok()
    }

    /// Returns whether the acknowledged voucher of a channel settles now.
    pub(super) fn settles_now(&self, channel: &Pubkey) -> bool {
        self.acknowledged.get(channel).is_some_and(|voucher| self.settles(voucher))
    }

    /// Returns whether every end that the account of an acknowledged voucher's channel shows is in
    /// the future.
    pub(super) fn lasts(&self, channel: &Pubkey) -> bool {
        let (voucher, now) = (&self.acknowledged[channel], self.ledger.now);
        let Some(channel) = self.ledger.channels.get(channel) else { return false };
        let licensed = voucher.licenses.iter().all(|index| {
            let license = channel.licenses.get(usize::from(*index));
            license.is_some_and(|license| now <= license.expires_at)
        });
        let key = channel.key_at(now, self.ledger.slot);
        licensed && !channel.closed(now, self.ledger.slot) && key == voucher.key
    }

    /// Returns acknowledged vouchers of the channels and operators in a call that settle before it
    /// and must settle after it: its own operator and watcher can settle another voucher, and the
    /// operator's authority can waive one on its channel. No change of an operator's account and no
    /// other party, not even with a stolen settle key, voids a voucher.
    pub(super) fn settleable(&mut self, step: &Step, addresses: &[Pubkey]) -> Vec<Pubkey> {
        let changed = ["update_operator", "rotate_operator_key"].contains(&step.name);
        let named = |channel: &Pubkey, voucher: &Acknowledged| {
            addresses.contains(channel) || changed && addresses.contains(&voucher.operator_account)
        };
        let acknowledged = self.acknowledged.iter();
        let vouchers: Vec<_> = acknowledged
            .filter(|(channel, voucher)| named(channel, voucher))
            .map(|(channel, voucher)| (*channel, voucher.clone()))
            .collect();
        let metas = step.call.instructions.iter().flat_map(|call| &call.accounts);
        let signers: Vec<_> = metas.filter(|meta| meta.is_signer).map(|meta| meta.pubkey).collect();
        let mut channels = Vec::new();
        for (channel, voucher) in vouchers {
            if !self.settles(&voucher) {
                self.acknowledged.remove(&channel);
                continue;
            }
            let watcher = self.ledger.channels[&channel].watcher;
            let settle_key = self.ledger.settle_key(&voucher.operator);
            let settlers = signers.iter().filter(|signer| {
                **signer == settle_key || watcher.is_some_and(|watcher| watcher == **signer)
            });
            let settled = step.name.starts_with("settle") && settlers.count() > 0;
            let waived = signers.contains(&voucher.operator) && !changed;
            if !settled && !waived {
                channels.push(channel);
            }
        }
        channels
    }

    /// Checks that acknowledged vouchers that settled before a call settle after it.
    ///
    /// # Errors
    /// The first one that does not, with the program's error.
    pub(super) fn still_settleable(&self, name: &str, channels: &[Pubkey]) -> Result<(), String> {
        for channel in channels {
            if let Err(why) = self.simulate(&self.acknowledged[channel]) {
                return Err(format!("{name}: a voucher of {channel} settles no more: {why}"));
            }
        }
        Ok(())
    }

    /// A payer settles less itself than its acknowledged voucher says, once it has asked to close.
    pub(super) fn undercut(&mut self) -> Option<Step> {
        let leaving = self.acknowledged.iter().filter_map(|(address, voucher)| {
            let channel = self.ledger.channels.get(address)?;
            (channel.closes_at != NEVER).then_some((*address, channel.payer, voucher.licenses[0]))
        });
        let leaving: Vec<_> = leaving.collect();
        let &(address, payer, license) = leaving.choose(&mut self.random)?;
        let payer = self.cast.find(&payer)?;
        let lower = self.exact_statement(&address, &[(license, 1)])?;
        Some(lower.step(payer).of_attack("payer settles a lower voucher"))
    }

    /// Draws the next of the calls by which a payer licenses its own work, for an upfront fee or
    /// with a quota of the whole free deposit, while a voucher of its channel is acknowledged.
    pub(super) fn license_itself(&mut self) -> Option<Step> {
        let mut pairs = Vec::new();
        for address in self.acknowledged.keys() {
            let Some(channel) = self.ledger.channels.get(address) else { continue };
            let open = channel.closes_at == NEVER && channel.operator != channel.payer;
            let free = channel.deposited - channel.committed();
            let own = self.ledger.works.iter().filter(|(_, work)| {
                let active = work.status == Status::Active && work.dispute.is_none();
                active && work.owner == channel.payer && work.consented_at(self.ledger.now)
            });
            if open && free > 0 {
                pairs.extend(own.map(|(work, _)| (*address, *work, free)));
            }
        }
        let &(channel, work, free) = pairs.choose(&mut self.random)?;
        let of = &self.ledger.channels[&channel];
        let payer = self.cast.people.iter().find(|person| person.key() == of.payer)?.clone();
        let number = self.ledger.works[&work].latest_terms;
        let terms = self.ledger.works[&work].terms.get(&number);
        let simple = |terms: &&Terms| {
            let limited =
                terms.approval_required || terms.total_units.is_some() || terms.once_each();
            let offered = terms.prices.iter().any(|(licensed_use, _)| *licensed_use == USES[0]);
            let open = terms.operators.is_empty() && terms.valid_at(self.ledger.now);
            terms.mint == of.mint && open && offered && !limited
        };
        let cost = |terms: &Terms| {
            let left = terms.revenue.map_or(0, |cap| u128::from(cap) - terms.revenue_out);
            left.max(u128::from(terms.upfront_fee))
        };
        let dear = terms.filter(simple).filter(|terms| cost(terms) * 2 > free);
        let Some(terms) = dear else {
            let price = UsePrice { licensed_use: USES[0], unit: Unit::Generation, price: 1 };
            let all = u64::try_from(free).ok()?;
            let by_quota = self.random.random_bool(0.5);
            let caps = Caps { revenue: by_quota.then_some(all), ..Caps::default() };
            let offer = Offer {
                upfront_fee: if by_quota { 0 } else { all },
                caps,
                commercial: self.random.random(),
                legal_digest: [0x1E; 32],
                ..Offer::new(vec![price])
            };
            return Some(self.publishing(&payer, work, of.mint, offer));
        };
        let what = Accepting {
            payer: payer.key(),
            work,
            terms: number,
            licensed_use: USES[0],
            max_price: u64::MAX,
            digest: terms.digest,
            min_expires_at: i64::MIN,
            quota_units: 0,
            quota_revenue: terms.revenue.map_or(0, |cap| cap - terms.revenue_out as u64),
            approver: None,
            approval: false,
            issuance: terms.shared_caps(),
            licensee: false,
            fee_accounts: true,
        };
        let attack =
            if terms.shared_caps() { "quota of one's own work" } else { "upfront fee to oneself" };
        Some(self.accepting(channel, payer, None, what).of_attack(attack))
    }

    /// Draws the next of the calls that end a license of an acknowledged statement late: its work
    /// is withdrawn, and the withdrawal is applied after the notice.
    pub(super) fn end_late(&mut self) -> Option<Step> {
        let (mut late, mut active) = (Vec::new(), Vec::new());
        for (address, voucher) in &self.acknowledged {
            let Some(channel) = self.ledger.channels.get(address) else { continue };
            for &index in &voucher.licenses {
                let Some(license) = channel.licenses.get(usize::from(index)) else { continue };
                let work = &self.ledger.works[&license.work];
                match work.withdrawn_at {
                    Some(withdrawn_at) => {
                        if license.notice_end(withdrawn_at, work.verdict_terms)
                            < self.ledger.now.min(license.expires_at)
                        {
                            late.push((*address, index, license.work));
                        }
                    }
                    None => active.push((license.work, work.owner)),
                }
            }
        }
        if let Some(&(channel, index, work)) = late.choose(&mut self.random) {
            let late = self.applying_withdrawal(channel, (index, work));
            return Some(late.of_attack("withdrawal applied late"));
        }
        let &(work, owner) = active.choose(&mut self.random)?;
        let owner = self.cast.find(&owner)?;
        Some(self.withdrawing_work(owner, work))
    }
}
