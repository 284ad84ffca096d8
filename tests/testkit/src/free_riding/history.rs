use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use motif_sdk::{
    Pubkey,
    channel::{ChannelAccount, Moment},
    receipt::SignedReceipt,
};

use super::{clock::now, counts::Counts, request::Asked, seat::Seat};

/// Requests and responses of one episode.
#[derive(Default)]
pub struct History(Mutex<Told>);

#[derive(Default)]
struct Told {
    asked: Vec<Asked>,
    /// Requests by place in a statement.
    places: BTreeMap<(Pubkey, u64, u32), Place>,
    counts: Counts,
    breaks: Vec<String>,
}

#[derive(Clone, Copy)]
struct Place {
    asked: usize,
    part: usize,
    signed: SignedReceipt,
}

impl History {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap()
    }

    /// Records a request before it is sent; returns its number.
    pub fn ask(&self, asked: Asked) -> usize {
        let mut told = self.told();
        told.counts.forged += u64::from(asked.forged.is_some());
        told.asked.push(asked);
        told.asked.len() - 1
    }

    pub fn asked(&self, number: usize) -> Asked {
        self.told().asked[number].clone()
    }

    /// Returns a random request that was served.
    pub fn served(&self, choice: usize, channel: &Pubkey) -> Option<usize> {
        let told = self.told();
        let count = told.asked.len();
        let numbers = (0..count.min(64)).map(|step| (choice + step) % count);
        let mut numbers = numbers.filter(|number| {
            let asked = &told.asked[*number];
            asked.channel == *channel && !asked.receipts.is_empty() && asked.key.is_some()
        });
        numbers.next()
    }

    pub fn unanswered(&self) -> Vec<usize> {
        let told = self.told();
        (0..told.asked.len()).filter(|number| !told.asked[*number].is_answered).collect()
    }

    pub fn refused(&self, number: usize) {
        let mut told = self.told();
        let asked = &mut told.asked[number];
        let served = !asked.receipts.is_empty();
        asked.is_answered = true;
        if served {
            told.breaks.push(format!("request {number} was served, and refused when repeated"));
        }
    }

    /// Records the receipts of a request.
    pub fn receipts(&self, number: usize, receipts: Vec<SignedReceipt>) {
        let mut told = self.told();
        let asked = told.asked[number].clone();
        let mut breaks = Vec::new();
        if let Some(forged) = asked.forged {
            breaks.push(format!("request {number} was served: {forged}"));
        }
        if !asked.receipts.is_empty() && asked.receipts != receipts {
            breaks.push(format!("request {number} got other receipts when repeated"));
        }
        if receipts.len() != asked.claim.items.len() {
            breaks.push(format!("request {number} got {} receipts", receipts.len()));
        }
        for (part, signed) in receipts.iter().enumerate() {
            let receipt = &signed.receipt;
            if !signed.verifies(&operator()) {
                breaks.push(format!("receipt of request {number} is not signed"));
            }
            let place = (receipt.channel, receipt.statement, receipt.position);
            let own = Place { asked: number, part, signed: *signed };
            let there = *told.places.entry(place).or_insert(own);
            if (there.asked, there.part) != (number, part) {
                breaks.push(format!("requests {} and {number} share a place", there.asked));
            }
        }
        let asked = &mut told.asked[number];
        (asked.is_answered, asked.receipts) = (true, receipts);
        told.breaks.extend(breaks);
    }

    pub fn broke(&self, what: String) {
        self.told().breaks.push(what);
    }

    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.told().counts);
    }

    pub fn counts(&self) -> Counts {
        self.told().counts
    }

    pub fn breaks(&self) -> Vec<String> {
        self.told().breaks.clone()
    }
}

fn operator() -> Pubkey {
    use solana_signer::Signer;
    solana_keypair::Keypair::new_from_array([8; 32]).pubkey()
}

/// Replays the receipts of a channel with independent arithmetic, and compares
/// the result with the vouchers and the chain.
pub fn check_channel(seat: &Seat, chain: &ChannelAccount, history: &History) {
    let mut told = history.told();
    let mut breaks = Vec::new();
    if told.asked.iter().any(|asked| !asked.is_answered) {
        breaks.push("a request was never answered".to_owned());
    }
    let mut units = [0_u64; 2];
    let mut prices = 0;
    let (mut statement, mut position) = (None, 0);
    let mut open = BTreeMap::<u16, u32>::new();
    let mut statements = 0;
    let own = told.places.iter().filter(|((channel, _, _), _)| *channel == seat.channel);
    for ((_, number, at), place) in own {
        let receipt = &place.signed.receipt;
        if statement != Some(*number) {
            if *number != statements {
                breaks.push(format!("statement {number} follows {statement:?}"));
            }
            (statement, position, open) = (Some(*number), 0, BTreeMap::new());
            statements = number + 1;
        }
        if *at != position {
            breaks.push(format!("statement {number} has a gap at {position}"));
        }
        position = at + 1;
        let asked = &told.asked[place.asked];
        let Some((license, used)) = asked.claim.items.get(place.part).copied() else { continue };
        let of = usize::from(license).min(1);
        let before = seat.prices[of].of(units[of]);
        units[of] += u64::from(used);
        let price = seat.prices[of].of(units[of]) - before;
        prices += price;
        *open.entry(license).or_default() += used;
        if (receipt.license, receipt.units, receipt.amount) != (license, used, price) {
            breaks.push(format!("{receipt:?} was asked for {used} of {license} at {price}"));
        }
        if place.part + 1 == asked.claim.items.len() {
            // All its parts are present, so its voucher pays for them and all earlier ones.
            let total = prices + prices * seat.fee_bps / 10_000;
            let paid = asked.claim.cumulative;
            if (paid, receipt.cumulative) != (total, total) || asked.claim.entries != open {
                breaks.push(format!("{paid} was signed for what costs {total}: {receipt:?}"));
            }
        }
    }
    for (of, price) in seat.prices.iter().enumerate() {
        let settled = chain.licenses[of].units;
        told.counts.units_served += units[of];
        told.counts.units_settled += settled;
        told.counts.units_leaked += units[of].abs_diff(settled);
        if units[of] > price.cap {
            breaks.push(format!("{} units of {} were served", units[of], price.cap));
        }
    }
    let mut channel = chain.channel;
    let total = prices + prices * seat.fee_bps / 10_000;
    let refund = channel.withdraw(Moment::running(now()));
    let expected = (statements, prices, total);
    let settled =
        (channel.statements.length, channel.prices, channel.cumulative().unwrap_or(u64::MAX));
    if settled != expected {
        breaks.push(format!("{settled:?} has settled and {expected:?} was served"));
    }
    if refund.as_ref().ok() != Some(&(channel.deposited - total)) {
        breaks.push(format!("the payer gets {refund:?} of {} back", channel.deposited));
    }
    told.counts.base_units_settled += total;
    let own = told.places.keys().filter(|(channel, _, _)| *channel == seat.channel);
    let generations = own.count() as u64;
    told.counts.generations += generations;
    told.breaks.extend(breaks);
}
