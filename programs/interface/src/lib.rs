//! The interface of the Motif programs, shared by the programs and their clients.
//!
//! - [`licensing`] and [`payments`]: program ids, account layouts with the rules they keep, and
//!   errors.
//! - [`licensing`], [`operator`], [`channel`], [`earnings`] and [`till`]: instructions.
//! - [`acceptance`]: what a one-off payment to a till buys.
//! - [`pda`]: account addresses.
//! - [`voucher`] and [`statement`]: bytes that a payer signs; [`voucher_proof`]: their proof.
//! - [`receipt`]: bytes that an operator signs, and their proof against a channel.
//! - [`merkle`], [`mmr`] and [`training_set`]: Merkle trees without sums.
//! - [`bps`]: basis points and their rounding.
//!
//! Token amounts are base units of a mint, times are unix seconds and ratios are basis points.
//!
//! The crate does no I/O and builds for `wasm32-unknown-unknown` and for Solana's bytecode.
//!
//! # Features
//!
//! All are off by default.
//!
//! - `ed25519`: signs and verifies vouchers and receipts.
//! - `serde`: JSON of the words of kinds, uses and units.
//! - `anchor`: Anchor's account traits on the account types. Only the programs need it.
//! - `idl-build`: type descriptions for the programs' IDL.
//!
//! # Example
//!
//! ```
//! use motif_interface::{Pubkey, channel::{self, Cosigners}, pda};
//!
//! let (payer, operator, mint) = ([1; 32], [2; 32], [3; 32]);
//! let [payer, operator, mint] = [payer, operator, mint].map(Pubkey::new_from_array);
//! let address = pda::channel(&payer, &operator, &mint, 0);
//! let request_close = channel::request_close(&payer, &Cosigners::default(), &address);
//! assert_eq!(request_close.program_id, motif_interface::payments::ID);
//! assert!(request_close.accounts[0].is_signer);
//! ```

pub mod acceptance;
mod account;
#[cfg(feature = "anchor")]
mod anchor;
pub mod bps;
pub mod channel;
pub mod earnings;
#[cfg(feature = "idl-build")]
pub mod idl;
mod instruction;
pub mod licensing;
pub mod merkle;
pub mod mmr;
pub mod operator;
pub mod payments;
pub mod pda;
mod program_ids;
pub mod receipt;
mod security_txt;
pub mod statement;
pub mod till;
mod token;
pub mod training_set;
mod unknown_word;
pub mod voucher;
pub mod voucher_proof;
mod word;

pub use account::{AccountData, AccountError};
pub use solana_pubkey::Pubkey;
pub use token::{
    ASSOCIATED_TOKEN_PROGRAM, Currency, TOKEN_2022_PROGRAM, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM,
    mint_decimals, token_amount,
};
pub use unknown_word::UnknownWord;

/// Returns an error unless a condition holds.
macro_rules! require {
    ($condition:expr, $error:expr $(,)?) => {
        if !$condition {
            return Err($error);
        }
    };
}
pub(crate) use require;

/// Borsh's traits and derives. With `idl-build` they are Anchor's, which also describe the type.
mod codec {
    #[cfg(not(feature = "idl-build"))]
    pub(crate) use borsh::{BorshDeserialize, BorshSerialize};

    #[cfg(feature = "idl-build")]
    pub(crate) use anchor_lang::{
        AnchorDeserialize as BorshDeserialize, AnchorSerialize as BorshSerialize,
        idl::build::IdlBuild,
    };
}
