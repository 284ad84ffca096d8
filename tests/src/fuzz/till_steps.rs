//! Calls about tills: opened by strangers, paid by transfers of the token programs, swept in any
//! order.

use motif_sdk::{
    pda,
    till::{self, TillShare, TillShares},
};
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use super::{Episode, Known, Step};
use crate::{
    model::Till,
    world::{Call, Person, token_account},
};

/// Maximum number of tills of an episode.
const MOST_TILLS: usize = 10;
/// Decimals of all currencies.
const DECIMALS: u8 = 6;

impl Episode {
    fn till(&mut self) -> Option<Pubkey> {
        let tills: Vec<_> = self.ledger.tills.keys().copied().collect();
        tills.choose(&mut self.random).copied()
    }

    /// Draws a division, nearly always in its one form.
    fn shares(&mut self) -> Option<TillShares> {
        let all: Vec<_> = self.ledger.works.keys().copied().collect();
        let works = match self.random.random_range(0..12) {
            0..4 => 1,
            4..9 => self.random.random_range(2..=4),
            9 | 10 => self.random.random_range(5..=8),
            _ => 9,
        };
        let works: Vec<_> = all.choose_multiple(&mut self.random, works).copied().collect();
        if works.is_empty() {
            return None;
        }
        let operator = match self.random.random_range(0..20) {
            0 => Some(self.cast.any_person(&mut self.random).key()),
            1..10 => self.some_operator(),
            _ => None,
        };
        let random = &mut self.random;
        let mut parts = || match random.random_range(0..8) {
            0 => random.random(),
            1 | 2 => random.random_range(1..=10_000),
            _ => random.random_range(1..=4),
        };
        let works: Vec<_> =
            works.into_iter().map(|work| TillShare { work, parts: parts() }).collect();
        let mut shares = TillShares::new(works, operator.map(|operator| (operator, parts())));
        match random.random_range(0..40) {
            0 => shares.works.reverse(),
            1 => shares.works.push(shares.works[0]),
            2 => shares.works[0].parts = 0,
            3 => shares.works.clear(),
            4 => shares.operator_parts = 0,
            5 => shares.operator = Pubkey::default(),
            6 => {
                shares.operator_parts = shares.operator_parts.wrapping_mul(2);
                for share in &mut shares.works {
                    share.parts = share.parts.wrapping_mul(2);
                }
            }
            _ => {}
        }
        Some(shares)
    }

    pub(super) fn open_till(&mut self) -> Option<Step> {
        if self.ledger.tills.len() >= MOST_TILLS {
            return None;
        }
        let shares = self.shares()?;
        let mint = self.mint();
        let funder = self.cast.any_person(&mut self.random);
        Some(self.opening_till(&funder, &shares, mint))
    }

    pub(super) fn opening_till(
        &mut self,
        funder: &Person,
        shares: &TillShares,
        mint: Pubkey,
    ) -> Step {
        let currency = self.cast.currency(&mint);
        let address = pda::till(shares, &mint);
        self.know(address, Known::Till);
        self.know(till::tokens(shares, &currency), Known::TillTokens(address));
        let works = shares.works.iter().map(|share| (share.work, share.parts)).collect();
        let what = Till::new(mint, (shares.operator, shares.operator_parts), works);
        let call = Call::new([till::open(&funder.key(), shares, &currency)], &[funder]);
        Step::new("open_till", call, move |ledger| ledger.open_till(address, &what))
    }

    /// A client pays by a transfer of the token program.
    pub(super) fn pay_till(&mut self) -> Option<Step> {
        let address = self.till()?;
        let payer = self.cast.any_person(&mut self.random);
        let amount = match self.random.random_range(0..12) {
            0 => 0,
            1 => u64::MAX,
            2..5 => self.random.random_range(1..=9),
            _ => self.random.random_range(1..=100_000),
        };
        let till = &self.ledger.tills[&address];
        let (shares, currency) = (shares_of(till), self.cast.currency(&till.mint));
        let pay = till::pay(&payer.key(), &shares, &currency, DECIMALS, amount);
        let (key, call) = (payer.key(), Call::new([pay], &[&payer]));
        Some(Step::new("pay_till", call, move |ledger| ledger.pay_till(key, address, amount)))
    }

    pub(super) fn sweep_till(&mut self) -> Option<Step> {
        let full = self.ledger.tills.iter().filter(|(_, till)| till.balance > 0);
        let full: Vec<_> = full.map(|(address, _)| *address).collect();
        let address = match full.choose(&mut self.random) {
            Some(address) if self.random.random_ratio(9, 10) => *address,
            _ => self.till()?,
        };
        let fee_owner = self.fee_owner_of(&self.ledger.tills[&address]);
        let to = match self.random.random_range(0..20) {
            0 => Some(self.cast.any_person(&mut self.random).key()),
            1..5 => None,
            _ => fee_owner,
        };
        Some(self.sweeping_till(address, to))
    }

    /// Returns the fee owner of a till's operator, if it has one.
    fn fee_owner_of(&self, till: &Till) -> Option<Pubkey> {
        let operator = self.ledger.operators.get(&till.operator);
        operator.map(|operator| operator.conditions.fee_owner)
    }

    pub(super) fn sweeping_till(&self, address: Pubkey, fee_owner: Option<Pubkey>) -> Step {
        let till = &self.ledger.tills[&address];
        let (shares, currency) = (shares_of(till), self.cast.currency(&till.mint));
        let call = Call::new([till::sweep(&shares, &currency, fee_owner)], &[]);
        Step::new("sweep_till", call, move |ledger| ledger.sweep_till(address, fee_owner))
    }

    /// Returns the sweep that pays as many parties as can be paid; `None` if none is owed a base
    /// unit.
    pub(super) fn last_sweep(&self, address: Pubkey) -> Option<Step> {
        let till = &self.ledger.tills[&address];
        let fee_owner = self.fee_owner_of(till);
        let to = fee_owner.filter(|owner| self.ledger.takes_money(owner, &till.mint));
        let sweep = self.sweeping_till(address, to);
        sweep.expect(&mut self.ledger.clone()).is_ok().then_some(sweep)
    }

    /// Tokens arrive in a till.
    pub(super) fn fill(&mut self, address: Pubkey, amount: u64) {
        let till = self.ledger.tills.get_mut(&address).expect("a till");
        till.balance += u128::from(amount);
        let total = till.balance as u64; // a few hundred thousand
        let (shares, mint) = (shares_of(till), till.mint);
        let currency = self.cast.currency(&mint);
        let account = token_account(&currency, &address, total);
        self.world.set(till::tokens(&shares, &currency), account);
    }

    /// Tokens arrive in any till.
    pub(super) fn fill_till(&mut self) -> &'static str {
        let Some(address) = self.till() else { return "nothing" };
        let amount = self.random.random_range(1..=100_000);
        self.fill(address, amount);
        "tokens arrive in a till"
    }
}

fn shares_of(till: &Till) -> TillShares {
    TillShares {
        operator: till.operator,
        operator_parts: till.operator_parts,
        works: till.works.iter().map(|&(work, parts)| TillShare { work, parts }).collect(),
    }
}
