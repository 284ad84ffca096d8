//! Instructions of the payments program on operators.
//!
//! ```
//! use motif_interface::{Pubkey, operator::{self, OperatorKey}, pda};
//!
//! let (authority, new_key) = ([1; 32], [2; 32]);
//! let [authority, new_key] = [authority, new_key].map(Pubkey::new_from_array);
//! let rotate = operator::rotate_key(&authority, OperatorKey::Settle, new_key);
//! assert_eq!(rotate.accounts[1].pubkey, pda::operator(&authority));
//! ```

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use crate::{
    codec::*,
    instruction::{self, readonly, signer, writable, writable_signer},
    payments, pda,
};

pub use crate::payments::{Operator, OperatorKey, OperatorTerms, ReceiptKey, ReceiptKeys};

/// Arguments of `register_operator`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct RegisterOperatorArgs {
    /// Key that settles, and nothing else.
    pub settle_key: Pubkey,
    /// Key that signs receipts.
    pub receipt_key: Pubkey,
    /// Conditions, which can change later.
    pub terms: OperatorTerms,
}

impl RegisterOperatorArgs {
    /// Creates the arguments of an operator with one key for everything, without fee, minimum grace
    /// period and URL.
    pub fn single(key: Pubkey) -> Self {
        Self { settle_key: key, receipt_key: key, terms: OperatorTerms::new(key) }
    }
}

/// Creates `register_operator`: registers an operator at [`pda::operator`]. Signed by `funder`,
/// which can be any key and pays the rent, and by `authority`.
pub fn register(funder: &Pubkey, authority: &Pubkey, args: RegisterOperatorArgs) -> Instruction {
    let accounts = vec![
        writable_signer(*funder),
        signer(*authority),
        writable(pda::operator(authority)),
        readonly(system_program::ID),
    ];
    instruction::build(payments::ID, "register_operator", accounts, &args)
}

/// Creates `update_operator`: changes fee, grace period, fee owner and URL. Signed by `authority`.
pub fn update(authority: &Pubkey, terms: OperatorTerms) -> Instruction {
    let accounts = vec![signer(*authority), writable(pda::operator(authority))];
    instruction::build(payments::ID, "update_operator", accounts, &terms)
}

/// Creates `rotate_operator_key`: replaces a key after [`Operator::ROTATION_SECONDS`]. Signed by
/// `authority`.
pub fn rotate_key(authority: &Pubkey, which: OperatorKey, new_key: Pubkey) -> Instruction {
    let accounts = vec![signer(*authority), writable(pda::operator(authority))];
    instruction::build(payments::ID, "rotate_operator_key", accounts, &(which, new_key))
}
