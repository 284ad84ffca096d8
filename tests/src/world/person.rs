use std::rc::Rc;

use ed25519_dalek::SigningKey;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;
use solana_signer::Signer;

/// A keypair with a name of its own in failures.
#[derive(Clone, Debug)]
pub struct Person {
    keypair: Rc<Keypair>,
}

impl Person {
    /// The same person for the same number, in every run.
    pub fn numbered(number: u64) -> Self {
        let seed = hash(format!("motif test person {number}").as_bytes()).to_bytes();
        Self { keypair: Rc::new(Keypair::new_from_array(seed)) }
    }

    /// What every person owns besides tokens: 1,000 SOL.
    pub fn wealth() -> Account {
        Account { lamports: 1_000_000_000_000, ..Account::default() }
    }

    /// Its address.
    pub fn key(&self) -> Pubkey {
        self.keypair.pubkey()
    }

    /// Signs transactions.
    pub fn keypair(&self) -> &Keypair {
        &self.keypair
    }

    /// Signs vouchers and receipts.
    pub fn signing_key(&self) -> SigningKey {
        motif_sdk::keypair::signing_key(&self.keypair)
    }
}
