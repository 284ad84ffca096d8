mod checks;
mod graph;
mod steps;

use std::collections::BTreeMap;

use licensing::Share;
use motif_sdk::pda;
use motif_tests::{
    model::{Ledger, Purse},
    world::{Code, World},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;

use crate::histories::{
    Counts,
    stage::{PEOPLE, Stage},
};

/// Random graph with its history.
pub struct History<'s> {
    stage: &'s mut Stage,
    counts: &'s mut Counts,
    seed: u64,
    step: usize,
    random: StdRng,
    ledger: Ledger,
    /// Works by address, parents first, with their accounts.
    works: Vec<(Pubkey, licensing::Work)>,
    /// One channel per currency; license `n` is of work `n`.
    channels: Vec<Pubkey>,
    /// Books by work and mint.
    earnings: BTreeMap<(Pubkey, Pubkey), Pubkey>,
    /// The highest entitlement of each party so far, to detect a fall.
    entitled: BTreeMap<(Pubkey, Pubkey, Pubkey), u128>,
    people: Vec<Pubkey>,
}

impl<'s> History<'s> {
    pub fn new(stage: &'s mut Stage, seed: u64, most_works: usize, counts: &'s mut Counts) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let known = random.random_range(1..=PEOPLE);
        let people = stage.people[..known].to_vec();
        stage.played += 1;
        let works = random.random_range(1..=most_works);
        counts.works += works as u64;
        let mut history = Self {
            stage,
            counts,
            seed,
            step: 0,
            random,
            ledger: Ledger { now: World::NOW, ..Ledger::default() },
            works: Vec::new(),
            channels: Vec::new(),
            earnings: BTreeMap::new(),
            entitled: BTreeMap::new(),
            people,
        };
        history.empty_purses();
        for number in 0..works {
            history.register(number);
        }
        for number in 0..history.stage.currencies.len() {
            history.open_channel(number);
        }
        for number in 0..works {
            for currency in 0..history.stage.currencies.len() {
                history.open_earnings(number, currency);
            }
        }
        history
    }

    fn address(&self, what: &[u8], number: usize) -> Pubkey {
        let played = self.stage.played.to_le_bytes();
        let number = (number as u64).to_le_bytes();
        Pubkey::new_from_array(hashv(&[what, &played, &number]).to_bytes())
    }

    fn mint(&self, currency: usize) -> Pubkey {
        self.stage.currencies[currency].currency.mint
    }

    fn empty_purses(&mut self) {
        for number in 0..self.stage.currencies.len() {
            let till = &self.stage.currencies[number];
            let (currency, vault_tokens) = (till.currency, till.vault_tokens);
            let purses: Vec<_> =
                self.people.iter().map(|person| (*person, till.purses[person].0)).collect();
            let vault = pda::vault(&currency.mint);
            self.stage.set_tokens(&currency, vault_tokens, &vault, 0);
            self.ledger.vaults.insert(currency.mint, 0);
            for (person, purse) in purses {
                self.stage.set_tokens(&currency, purse, &person, 0);
                self.ledger.purses.insert((person, currency.mint), Purse::Open(0));
            }
        }
    }

    /// Draws one of these with probability 4/5, if there are any.
    fn mostly<T: Copy>(&mut self, likely: &[T]) -> Option<T> {
        let chosen = likely.choose(&mut self.random).copied();
        chosen.filter(|_| self.random.random_ratio(4, 5))
    }

    fn place(&self) -> String {
        format!("history {}, step {}", self.seed, self.step)
    }

    fn send(&mut self, instruction: Instruction) -> Result<(), Option<Code>> {
        self.counts.instructions += 1;
        self.stage.send(instruction)
    }

    pub fn run(mut self) {
        let steps = 20 + self.works.len() * 3;
        for step in 0..steps {
            self.step = step;
            let currency = self.random.random_range(0..self.channels.len());
            match self.random.random_range(0..100) {
                0..30 => self.pay_in(currency),
                30..42 => self.collect(currency),
                42..60 => self.pull(currency),
                60..82 => self.claim(currency),
                82..88 => self.change_split(),
                88..93 => self.apply_split(currency),
                93..95 => self.apply_dispute(currency),
                _ => self.dispute(),
            }
        }
        self.step = steps;
        if self.works.len() <= 30 || self.random.random_ratio(1, 10) {
            self.drain();
        }
        self.check_everything();
    }
}

fn instruction(accounts: Vec<AccountMeta>, data: Vec<u8>) -> Instruction {
    Instruction { program_id: payments::ID, accounts, data }
}

fn shares_of(split: &[(Pubkey, u16)]) -> Vec<Share> {
    split.iter().map(|&(recipient, share_bps)| Share { recipient, share_bps }).collect()
}
