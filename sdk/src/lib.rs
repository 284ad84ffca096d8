//! The Motif SDK: register works, license them, pay per generation, and prove it.
//!
//! - [`pda`]: where accounts are.
//! - [`licensing`], [`channel`], [`earnings`]: instructions, and reading the accounts behind them.
//! - [`lineage`]: who descends from whom; [`training`]: what a style model was made from.
//! - [`voucher`]: what a platform signs; [`receipt`]: what it gets, and how that is proved.
//! - [`terms`]: files of terms, presets, plain-language summaries, import and export.
//! - [`fingerprint`]: digests of content, exact and look-alike; [`recognition`]: whose it is.
//! - [`credentials`]: what files say of themselves, signed (C2PA).
//! - [`client`]: sends and confirms on a cluster; [`gateway`]: pays through a gateway.
//!
//! Token amounts are base units of a mint (`1_000_000` is one USDC), instants unix seconds,
//! ratios basis points.

pub mod channel;
pub mod client;
pub mod credentials;
pub mod earnings;
mod error;
pub mod fingerprint;
pub mod gateway;
pub mod keypair;
pub mod licensing;
pub mod lineage;
pub mod pda;
pub mod receipt;
pub mod recognition;
pub mod terms;
pub mod training;
pub mod voucher;

pub use error::{Error, Refusal};
pub use solana_pubkey::Pubkey;
