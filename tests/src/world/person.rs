use std::rc::Rc;

use ed25519_dalek::SigningKey;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;
use solana_signer::Signer;

/// Keypair with a name for failure messages.
#[derive(Clone, Debug)]
pub struct Person {
    keypair: Rc<Keypair>,
}

impl Person {
    /// Creates the person of a number, the same in every run.
    pub fn numbered(number: u64) -> Self {
        let seed = hash(format!("motif test person {number}").as_bytes()).to_bytes();
        Self { keypair: Rc::new(Keypair::new_from_array(seed)) }
    }

    /// Returns the account of every new person, with 1,000 SOL.
    pub fn wealth() -> Account {
        Account { lamports: 1_000_000_000_000, ..Account::default() }
    }

    /// Returns the address.
    pub fn key(&self) -> Pubkey {
        self.keypair.pubkey()
    }

    /// Returns the keypair that signs transactions.
    pub fn keypair(&self) -> &Keypair {
        &self.keypair
    }

    /// Returns the key that signs vouchers and receipts.
    pub fn signing_key(&self) -> SigningKey {
        motif_sdk::keypair::signing_key(&self.keypair)
    }
}
