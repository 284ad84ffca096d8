//! Vouchers and statements: what a platform signs, and the totals it keeps itself.
//!
//! ```
//! use ed25519_dalek::SigningKey;
//! use motif_interface::{Pubkey, voucher::{SignedVoucher, Statement, Voucher}};
//!
//! // Two generations under license 0 and one under license 3, since the last settlement.
//! let mut statement = Statement::default();
//! for license in [0, 3, 0] {
//!     statement.add(license, 1)?;
//! }
//! let voucher = Voucher {
//!     cluster: [7; 32],
//!     channel: Pubkey::new_from_array([1; 32]),
//!     opened_slot: 250,
//!     statement: 0,
//!     cumulative: 3_060, // 3 x 1,000 base units, and the operator's 2 %
//!     statement_digest: statement.digest(),
//!     expires_at: 1_800_000_000,
//! };
//! let signed = SignedVoucher::sign(voucher, &SigningKey::from_bytes(&[9; 32]));
//! assert!(signed.verifies());
//! # Ok::<(), motif_interface::voucher::StatementFull>(())
//! ```

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
pub use payments::voucher::Voucher;
use payments::{proof, statement::Entry};
use serde::{Deserialize, Serialize};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

/// A voucher with its signature: whoever holds it and the statement can settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedVoucher {
    /// What was signed.
    pub voucher: Voucher,
    /// The channel's voucher key.
    pub key: Pubkey,
    /// Ed25519 over [`Voucher::to_bytes`].
    pub signature: [u8; 64],
}

impl SignedVoucher {
    /// Signs with the channel's voucher key.
    pub fn sign(voucher: Voucher, key: &SigningKey) -> Self {
        Self {
            voucher,
            key: Pubkey::new_from_array(key.verifying_key().to_bytes()),
            signature: key.sign(&voucher.to_bytes()).to_bytes(),
        }
    }

    /// True exactly when the chain's Ed25519 precompile accepts the signature too: strict
    /// verification, which refuses keys and points of small order.
    pub fn verifies(&self) -> bool {
        VerifyingKey::from_bytes(self.key.as_array()).is_ok_and(|key| self.verifies_with(&key))
    }

    /// As [`SignedVoucher::verifies`], for whoever has read the key before: reading it takes a
    /// seventh of the time.
    pub fn verifies_with(&self, key: &VerifyingKey) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        key.as_bytes() == self.key.as_array()
            && key.verify_strict(&self.voucher.to_bytes(), &signature).is_ok()
    }

    /// The Ed25519 instruction that proves the signature on chain; goes directly before
    /// `settle`.
    pub fn proof(&self) -> Instruction {
        let mut data = Vec::with_capacity(proof::SIZE);
        data.extend_from_slice(&proof::HEADER);
        data.extend_from_slice(self.key.as_ref());
        data.extend_from_slice(&self.signature);
        data.extend_from_slice(&self.voucher.to_bytes());
        Instruction { program_id: proof::ED25519_PROGRAM, accounts: Vec::new(), data }
    }
}

/// Units used per license since the last settlement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    units: BTreeMap<u16, u32>,
}

/// More units of one license than one statement can state: settle, and go on in the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a statement states at most {max} units of one license; settle first", max = u32::MAX)]
pub struct StatementFull;

impl Statement {
    /// The most licenses one statement can name, so that it settles in one classic packet of
    /// 1,232 bytes.
    pub const MAX_LICENSES: usize = 100;

    /// Adds units of a license.
    ///
    /// # Errors
    /// [`StatementFull`]; the statement is then unchanged.
    pub fn add(&mut self, license: u16, units: u32) -> Result<(), StatementFull> {
        let present = self.units.get(&license).copied().unwrap_or(0);
        if present == 0 && self.units.len() == Self::MAX_LICENSES {
            return Err(StatementFull);
        }
        let total = present.checked_add(units).ok_or(StatementFull)?;
        if total > 0 {
            self.units.insert(license, total);
        }
        Ok(())
    }

    /// Licenses and units, in ascending order of the license.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.units.iter().map(|(&license, &units)| Entry { license, units })
    }

    /// Whether nothing was used yet.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// How many licenses it names.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// The bytes that are signed for and that settle.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.entries().flat_map(Entry::to_bytes).collect()
    }

    /// SHA-256 of [`Statement::to_bytes`], as a voucher names it.
    pub fn digest(&self) -> [u8; 32] {
        hash(&self.to_bytes()).to_bytes()
    }
}

impl FromIterator<(u16, u32)> for Statement {
    /// Later units of a license replace earlier ones; entries of zero units are left out.
    fn from_iter<T: IntoIterator<Item = (u16, u32)>>(entries: T) -> Self {
        Self { units: entries.into_iter().filter(|(_, units)| *units > 0).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> SignedVoucher {
        let voucher = Voucher {
            cluster: [1; 32],
            channel: Pubkey::new_from_array([2; 32]),
            opened_slot: 3,
            statement: 4,
            cumulative: 5,
            statement_digest: [6; 32],
            expires_at: 7,
        };
        SignedVoucher::sign(voucher, &SigningKey::from_bytes(&[9; 32]))
    }

    #[test]
    fn a_signature_holds_for_exactly_what_was_signed() {
        assert!(signed().verifies());
        let mut raised = signed();
        raised.voucher.cumulative += 1;
        assert!(!raised.verifies());
        let mut forged = signed();
        forged.signature[0] ^= 1;
        assert!(!forged.verifies());
    }

    #[test]
    fn equal_usage_in_any_order_is_one_statement() {
        let (mut one, mut other) = (Statement::default(), Statement::default());
        for (license, units) in [(3, 1), (1, 2), (3, 4)] {
            one.add(license, units).unwrap();
        }
        for (license, units) in [(1, 1), (3, 5), (1, 1)] {
            other.add(license, units).unwrap();
        }
        assert_eq!(one.digest(), other.digest());
    }

    #[test]
    fn a_full_statement_refuses_and_stays_as_it_was() {
        let mut statement: Statement = [(0, u32::MAX)].into_iter().collect();
        assert_eq!(statement.add(0, 1), Err(StatementFull));
        for license in 1..100 {
            statement.add(license, 1).unwrap();
        }
        assert_eq!(statement.add(100, 1), Err(StatementFull));
        assert_eq!((statement.len(), statement.to_bytes().len()), (100, 600));
    }
}
