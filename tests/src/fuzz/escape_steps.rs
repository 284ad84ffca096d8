//! Acknowledged vouchers that are not settled, and calls by which a payer could
//! void them.

use licensing::{Caps, Offer, Unit, UsePrice};
use motif_sdk::{
    channel::{self as sdk, Entry, ReceiptsCommitment},
    voucher::{SignedVoucher, Voucher},
};
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{Episode, Step, licensing_steps::USES};
use crate::{
    model::{Accepting, NEVER, Status, Terms, exact},
    world::{CLUSTER, Call},
};

/// Settlement of an acknowledged voucher that is not sent.
#[derive(Clone)]
pub(super) struct Acknowledged {
    operator: Pubkey,
    key: Pubkey,
    licenses: Vec<u16>,
    call: Call,
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
        let address = self.channel()?;
        let channel = &self.ledger.channels[&address];
        let priced: Vec<_> = (0_u16..)
            .zip(&channel.licenses)
            .filter(|(_, license)| license.price > 0)
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
        let channel = &self.ledger.channels[address];
        let person = |key: &Pubkey| {
            let mut everyone = self.cast.people.iter().chain(&self.cast.keys);
            everyone.find(|person| person.key() == *key)
        };
        let operator = person(&channel.operator)?;
        let key = person(&channel.key_at(self.ledger.now, self.ledger.slot))?;
        let (mut prices, mut bytes) = (0, Vec::new());
        for &(license, units) in entries {
            prices += channel.licenses[usize::from(license)].price_of(units);
            bytes.extend_from_slice(&Entry { license, units }.to_bytes());
        }
        let total = channel.prices() + prices;
        let voucher = Voucher {
            cluster: CLUSTER,
            channel: *address,
            opened_slot: channel.opened_slot,
            statement: channel.statements.len() as u64,
            cumulative: u64::try_from(total + exact::share(total, channel.fee_bps)).ok()?,
            statement_digest: hash(&bytes).to_bytes(),
            expires_at: i64::MAX,
        };
        let receipts = ReceiptsCommitment { root: [0xEC; 32], sum: u64::try_from(prices).ok()? };
        let signed = SignedVoucher::sign(voucher, &key.signing_key());
        let settler = operator.key();
        let settle = sdk::settle(&settler, &channel.operator, &signed, bytes, Some(receipts));
        Some(Acknowledged {
            operator: operator.key(),
            key: key.key(),
            licenses: entries.iter().map(|(license, _)| *license).collect(),
            call: Call::new(settle, &[operator]),
        })
    }

    /// Returns whether the operator could settle a voucher now, by simulation.
    fn settles(&self, voucher: &Acknowledged) -> bool {
        let transaction = self.world.transaction(&voucher.call);
        self.world.svm.simulate_transaction(transaction).is_ok()
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

    /// Returns acknowledged vouchers of the channels in a call that settle before it and must
    /// settle after it: the operator does not sign the call, and it settles no other voucher.
    pub(super) fn settleable(&mut self, step: &Step, addresses: &[Pubkey]) -> Vec<Pubkey> {
        let mut channels = Vec::new();
        for address in addresses {
            let Some(voucher) = self.acknowledged.get(address).cloned() else { continue };
            if !self.settles(&voucher) {
                self.acknowledged.remove(address);
                continue;
            }
            let metas = step.call.instructions.iter().flat_map(|call| &call.accounts);
            let mut signers = metas.filter(|meta| meta.is_signer);
            let agreed = signers.any(|meta| meta.pubkey == voucher.operator);
            if !agreed && !step.name.starts_with("settle") {
                channels.push(*address);
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
            let transaction = self.world.transaction(&self.acknowledged[channel].call);
            if let Err(failed) = self.world.svm.simulate_transaction(transaction) {
                let why = super::report::reason(&failed);
                return Err(format!("{name}: a voucher of {channel} settles no more: {why}"));
            }
        }
        Ok(())
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
            terms.mint == of.mint && terms.valid_at(self.ledger.now) && offered && !limited
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
        Some(self.accepting(channel, payer, None, what))
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
            return Some(self.applying_withdrawal(channel, (index, work)));
        }
        let &(work, owner) = active.choose(&mut self.random)?;
        let owner = self.cast.people.iter().find(|person| person.key() == owner)?.clone();
        let instruction = motif_sdk::licensing::withdraw_work(&owner.key(), &work);
        let (caller, call) = (owner.key(), Call::new([instruction], &[&owner]));
        Some(Step::new("withdraw_work", call, move |ledger| ledger.withdraw_work(caller, work)))
    }
}
