//! Calls of the payments program about operators, and those of a thief of an operator's hot key.

use motif_sdk::{
    channel::{self as sdk, Cosigners},
    operator::{self, OperatorKey, OperatorTerms, RegisterOperatorArgs},
    pda,
};
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use super::{Episode, Known, Report, Step, licensing_steps::distinct};
use crate::{
    model::Conditions,
    world::{Call, Person},
};

/// Number of people that are operators when an episode begins.
const FIRST_OPERATORS: usize = 6;

impl Episode {
    /// Registers most people as operators.
    pub(super) fn register_first_operators(&mut self) {
        for place in 0..FIRST_OPERATORS {
            let authority = self.cast.people[place].clone();
            let fee_owner = authority.key();
            let url = String::new();
            let conditions = Conditions { fee_bps: 0, grace_seconds: 0, fee_owner, url };
            let step = self.registering_operator(&authority, &authority, conditions);
            self.play(&step, &mut Report::default()).expect("a registration");
        }
    }

    /// Returns the authority of a registered operator.
    pub(super) fn some_operator(&mut self) -> Option<Pubkey> {
        let all: Vec<_> = self.ledger.operators.keys().copied().collect();
        all.choose(&mut self.random).copied()
    }

    /// Draws a settle or receipt key: the authority itself, or a key on a server.
    fn hot_key(&mut self, authority: &Pubkey) -> Pubkey {
        let own = self.random.random_ratio(1, 3);
        let hot = self.cast.hot.choose(&mut self.random).expect("keys").key();
        if own { *authority } else { hot }
    }

    fn conditions(&mut self, authority: &Pubkey) -> Conditions {
        let fee_owner = match self.random.random_range(0..6) {
            0..3 => *authority,
            3..5 => self.cast.any_person(&mut self.random).key(),
            _ => self.hot_key(authority),
        };
        let random = &mut self.random;
        let mut drawn = |most: u32, usual: u32| match random.random_range(0..20) {
            0 => most + 1,
            1 => most,
            2..10 => random.random_range(0..=usual),
            _ => 0,
        };
        Conditions {
            fee_bps: drawn(5_000, 300) as u16, // at most 5,001
            grace_seconds: drawn(2_592_000, 100_000),
            fee_owner,
            url: "u".repeat(drawn(128, 40) as usize),
        }
    }

    pub(super) fn register_operator(&mut self) -> Option<Step> {
        let free = self.cast.purse_owners().filter(|person| {
            let registered = self.ledger.operators.contains_key(&person.key());
            !registered
        });
        let free: Vec<_> = free.cloned().collect();
        let new = free.choose(&mut self.random).filter(|_| self.random.random_ratio(4, 5));
        let new = new.cloned();
        let authority = new.unwrap_or_else(|| self.cast.any_person(&mut self.random));
        let funder = self.cast.any_person(&mut self.random);
        let conditions = self.conditions(&authority.key());
        Some(self.registering_operator(&funder, &authority, conditions))
    }

    fn registering_operator(
        &mut self,
        funder: &Person,
        authority: &Person,
        conditions: Conditions,
    ) -> Step {
        let key = authority.key();
        let (settle_key, receipt_key) = (self.hot_key(&key), self.hot_key(&key));
        let args = RegisterOperatorArgs { settle_key, receipt_key, terms: terms(&conditions) };
        self.know(pda::operator(&key), Known::Operator(key));
        let register = operator::register(&funder.key(), &key, args);
        let call = Call::new([register], &distinct(&[funder.clone(), authority.clone()]));
        Step::new("register_operator", call, move |ledger| {
            ledger.register_operator(key, (settle_key, receipt_key), &conditions)
        })
    }

    pub(super) fn update_operator(&mut self) -> Option<Step> {
        let authority = self.some_operator()?;
        let caller = self.cast.mostly(&authority, &mut self.random);
        let conditions = self.conditions(&authority);
        Some(self.updating_operator(&caller, authority, conditions))
    }

    fn updating_operator(&self, caller: &Person, authority: Pubkey, new: Conditions) -> Step {
        let update = operator::update(&caller.key(), terms(&new));
        let (key, call) = (caller.key(), on_account_of(&authority, caller, update));
        Step::new("update_operator", call, move |ledger| {
            ledger.update_operator(key, authority, &new)
        })
    }

    pub(super) fn rotate_operator_key(&mut self) -> Option<Step> {
        let authority = self.some_operator()?;
        let caller = self.cast.mostly(&authority, &mut self.random);
        let key = self.hot_key(&authority);
        let which =
            if self.random.random_bool(0.6) { OperatorKey::Settle } else { OperatorKey::Receipt };
        Some(self.rotating_operator_key(&caller, authority, which, key))
    }

    fn rotating_operator_key(
        &self,
        caller: &Person,
        authority: Pubkey,
        which: OperatorKey,
        new: Pubkey,
    ) -> Step {
        let rotate = operator::rotate_key(&caller.key(), which, new);
        let (key, call) = (caller.key(), on_account_of(&authority, caller, rotate));
        Step::new("rotate_operator_key", call, move |ledger| match which {
            OperatorKey::Settle => ledger.rotate_settle_key(key, authority, new),
            OperatorKey::Receipt => ledger.rotate_receipt_key(key, authority, new),
        })
    }

    /// A thief of a settle or receipt key, pending and former ones included, tries everything but to
    /// settle.
    pub(super) fn steal_hot_key(&mut self) -> Option<Step> {
        let channel = self.channel()?;
        let of = self.ledger.channels[&channel].clone();
        let hot: Vec<_> = self.ledger.operators[&of.operator].hot_keys().collect();
        let stolen = hot.iter().filter_map(|key| self.cast.hot.iter().find(|h| h.key() == *key));
        let stolen: Vec<_> = stolen.cloned().collect();
        let thief = stolen.choose(&mut self.random)?.clone();
        let (key, authority) = (thief.key(), of.operator);
        let fee_owner = self.ledger.operators[&authority].conditions.fee_owner;
        if [authority, fee_owner].contains(&key) {
            return None; // the key may do more
        }
        let payer = self.cast.find(&of.payer)?.clone();
        let with_thief = Cosigners { party: Some(key), watcher: None };
        let move_number = self.random.random_range(0..13);
        let step = match move_number {
            0 => self.requesting_close(channel, vec![thief], &Cosigners::default()),
            1 => {
                let watcher = of.watcher.and_then(|watcher| self.cast.find(&watcher)).cloned();
                let cosigners =
                    Cosigners { party: Some(key), watcher: watcher.as_ref().map(Person::key) };
                let signers = [payer, thief].into_iter().chain(watcher).collect();
                self.requesting_close(channel, signers, &cosigners)
            }
            2 => self.rotating_voucher_key(channel, vec![payer, thief], with_thief, key),
            3 => {
                let license = of.licenses.iter().position(|license| license.holds_quota())?;
                let (work, number) = (of.licenses[license].work, of.licenses[license].terms_number);
                let (index, terms) = (license as u16, (work, number));
                self.releasing_quota(channel, vec![thief, payer], index, terms)
            }
            4 => self.withdrawing(channel, &thief),
            5 => self.claiming_fees(channel, authority, key),
            6 => self.claiming_fees(channel, key, key),
            7 => {
                let conditions = self.ledger.operators[&authority].conditions.clone();
                let new = Conditions { fee_owner: key, ..conditions };
                self.updating_operator(&thief, authority, new)
            }
            8 => self.rotating_operator_key(&thief, authority, OperatorKey::Settle, key),
            9 => self.rotating_operator_key(&thief, authority, OperatorKey::Receipt, key),
            10 => self.closing_channel(channel, &thief),
            11 => self.topping_up(channel, &thief, 1),
            _ => {
                let tills = self.ledger.tills.iter().filter(|(_, till)| till.operator == authority);
                let tills: Vec<_> = tills.map(|(address, _)| *address).collect();
                let till = *tills.choose(&mut self.random)?;
                self.sweeping_till(till, Some(key))
            }
        };
        // Together with the payer the thief gets no more than the payer alone.
        let with_payer = (1..=3).contains(&move_number);
        let attack = if with_payer { "stolen hot key with the payer" } else { "stolen hot key" };
        Some(step.of_attack(attack))
    }

    pub(super) fn claiming_fees(&self, channel: Pubkey, operator: Pubkey, to: Pubkey) -> Step {
        let currency = self.cast.currency(&self.ledger.channels[&channel].mint);
        let call = Call::new([sdk::claim_fees(&channel, &operator, &to, &currency)], &[]);
        Step::new("claim_fees", call, move |ledger| {
            ledger.claim_fees(channel, operator, to).map(drop)
        })
    }

    pub(super) fn claim_fees(&mut self) -> Option<Step> {
        let channels = self.ledger.channels.iter();
        let owing = channels.filter(|(_, channel)| channel.fees() > channel.fees_claimed);
        let owing: Vec<_> = owing.map(|(address, _)| *address).collect();
        let channel = match owing.choose(&mut self.random) {
            Some(channel) if self.random.random_ratio(4, 5) => *channel,
            _ => self.channel()?,
        };
        let operator = self.ledger.channels[&channel].operator;
        let other = self.random.random_ratio(1, 25).then(|| self.some_operator());
        let named = other.flatten().unwrap_or(operator);
        let fee_owner = self.ledger.operators[&named].conditions.fee_owner;
        let to = if self.random.random_ratio(1, 25) {
            self.cast.any_person(&mut self.random).key()
        } else {
            fee_owner
        };
        Some(self.claiming_fees(channel, named, to))
    }
}

fn terms(conditions: &Conditions) -> OperatorTerms {
    let Conditions { fee_bps, grace_seconds, fee_owner, url } = conditions.clone();
    OperatorTerms { fee_bps, min_grace_seconds: grace_seconds, fee_owner, url }
}

/// Returns a caller's instruction on the account of the operator `authority`.
fn on_account_of(
    authority: &Pubkey,
    caller: &Person,
    instruction: solana_instruction::Instruction,
) -> Call {
    let own = pda::operator(&caller.key());
    Call::new([instruction], &[caller]).instead_of(own, pda::operator(authority))
}
