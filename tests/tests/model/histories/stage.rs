use std::collections::BTreeMap;

use litesvm::LiteSVM;
use motif_sdk::channel::Currency;
use motif_tests::world::{Code, Person, World, token_account};
use solana_instruction::Instruction;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;

pub const PEOPLE: usize = 120;
pub const LAMPORTS: u64 = 100_000_000_000;
pub const SYSTEM_PROGRAM: Pubkey = Pubkey::new_from_array([0; 32]);
const ASSOCIATED_TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// Cluster with both programs, two currencies, and people with token accounts.
pub struct Stage {
    pub svm: LiteSVM,
    pub host: Person,
    pub people: Vec<Pubkey>,
    pub currencies: Vec<Till>,
    /// Number of histories on this cluster; each has its own works and channels.
    pub played: u64,
}

/// Currency with each party's token account.
pub struct Till {
    pub currency: Currency,
    pub vault_tokens: Pubkey,
    pub purses: BTreeMap<Pubkey, (Pubkey, u8)>,
}

impl Stage {
    pub fn new() -> Self {
        let mut world = World::new();
        let other = world.other_currency();
        let people: Vec<_> =
            (0..PEOPLE as u64).map(|number| Person::numbered(1_000 + number).key()).collect();
        let purses = |currency: Currency| {
            let purse = |person: &Pubkey| {
                let seeds =
                    [person.as_ref(), currency.token_program.as_ref(), currency.mint.as_ref()];
                (*person, Pubkey::find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM))
            };
            let purses = people.iter().map(purse).collect();
            Till { currency, vault_tokens: world.vault_tokens(&currency), purses }
        };
        let currencies = [world.currency, other].map(purses).into();
        let World { svm, host, .. } = world;
        Self { svm, host, people, currencies, played: 0 }
    }

    /// Runs one instruction as a transaction; returns the error code of a rejection.
    pub fn send(&mut self, instruction: Instruction) -> Result<(), Option<Code>> {
        self.svm.expire_blockhash();
        let blockhash = self.svm.latest_blockhash();
        let payer = self.host.key();
        let message = Message::new_with_blockhash(&[instruction], Some(&payer), &blockhash);
        let transaction = Transaction::new(&[self.host.keypair()], message, blockhash);
        match self.svm.send_transaction(transaction) {
            Ok(_) => Ok(()),
            Err(failed) => Err(Code::of(&failed)),
        }
    }

    pub fn set_tokens(&mut self, currency: &Currency, at: Pubkey, owner: &Pubkey, amount: u128) {
        let amount = u64::try_from(amount).expect("a balance that fits");
        let account = token_account(currency, owner, amount);
        self.svm.set_account(at, account).expect("any account can be set");
    }

    pub fn tokens(&self, at: &Pubkey) -> u128 {
        let data = self.svm.get_account(at).expect("a token account").data;
        u128::from(u64::from_le_bytes(data[64..72].try_into().unwrap()))
    }
}
