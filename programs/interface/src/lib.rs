//! Accounts, instructions, vouchers and receipts of the Motif programs.
//!
//! - [`pda`]: addresses of accounts.
//! - [`licensing`], [`channel`], [`earnings`]: instruction builders and account readers.
//! - [`voucher`], [`receipt`], [`training`]: vouchers, statements, receipts and Merkle trees.

pub mod channel;
pub mod earnings;
pub mod licensing;
pub mod pda;
pub mod receipt;
pub mod training;
pub mod voucher;

pub use solana_pubkey::Pubkey;
