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
    /// Keys on operators' servers, which settle and sign receipts.
    pub hot: Vec<Person>,
    /// Currencies: one of SPL Token, one of Token-2022.
    pub currencies: Vec<Currency>,
}

impl Cast {
    pub fn new(world: &mut World) -> Self {
        let mut group = |count| (0..count).map(|_| world.person()).collect::<Vec<_>>();
        let (people, keys, hot) = (group(9), group(3), group(5));
        let other = world.mint_of(&motif_sdk::channel::TOKEN_2022_PROGRAM);
        world.admit(&other).assert_ok();
        let currencies = vec![world.currency, other];
        let cast = Self { people, keys, hot, currencies };
        for currency in &cast.currencies {
            for person in cast.purse_owners() {
                let tokens = token_account(currency, &person.key(), RICHES);
                world.set(currency.tokens(&person.key()), tokens);
            }
        }
        cast
    }

    /// Returns those with token accounts in each currency.
    pub fn purse_owners(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().chain(&self.hot)
    }

    /// Returns the person with this key.
    pub fn find(&self, key: &Pubkey) -> Option<&Person> {
        let mut all = self.people.iter().chain(&self.keys).chain(&self.hot);
        all.find(|person| person.key() == *key)
    }

    /// Returns a random person.
    pub fn any_person(&self, random: &mut StdRng) -> Person {
        self.people.choose(random).expect("a cast").clone()
    }

    /// Returns the person with this key nine times in ten, otherwise a random one.
    pub fn mostly(&self, key: &Pubkey, random: &mut StdRng) -> Person {
        match self.find(key) {
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
