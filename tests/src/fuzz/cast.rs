use motif_sdk::channel::Currency;
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use crate::world::{Person, World, token_account};

/// Initial balance of each person, in base units of each currency.
pub(super) const RICHES: u64 = 1_000_000_000_000;

/// People and currencies of an episode.
#[derive(Clone)]
pub(super) struct Cast {
    /// People. Each can be creator, platform, operator, recipient, claimant or
    /// attacker.
    pub people: Vec<Person>,
    /// Voucher keys.
    pub keys: Vec<Person>,
    /// Currencies: one of SPL Token, one of Token-2022.
    pub currencies: Vec<Currency>,
}

impl Cast {
    pub fn new(world: &mut World) -> Self {
        let people: Vec<_> = (0..9).map(|_| world.person()).collect();
        let keys: Vec<_> = (0..3).map(|_| world.person()).collect();
        people.iter().for_each(|person| world.register_operator(person));
        let other = world.mint_of(&motif_sdk::channel::TOKEN_2022_PROGRAM);
        world.admit(&other).assert_ok();
        let currencies = vec![world.currency, other];
        for currency in &currencies {
            for person in &people {
                let tokens = token_account(currency, &person.key(), RICHES);
                world.set(currency.tokens(&person.key()), tokens);
            }
        }
        Self { people, keys, currencies }
    }

    /// Returns a random person.
    pub fn any_person(&self, random: &mut StdRng) -> Person {
        self.people.choose(random).expect("a cast").clone()
    }

    /// Returns the person with this key nine times in ten, otherwise a random one.
    pub fn mostly(&self, key: &Pubkey, random: &mut StdRng) -> Person {
        let known = self.people.iter().chain(&self.keys).find(|person| person.key() == *key);
        match known {
            Some(person) if random.random_ratio(9, 10) => person.clone(),
            _ => self.any_person(random),
        }
    }

    pub fn currency(&self, mint: &Pubkey) -> Currency {
        let known = self.currencies.iter().find(|currency| currency.mint == *mint);
        known.copied().unwrap_or(self.currencies[0])
    }

    /// Returns a random voucher key.
    pub fn key(&self, random: &mut StdRng) -> Person {
        self.keys.choose(random).expect("keys").clone()
    }
}
