//! Rust SDK of Motif: register works, license them, pay per generation and prove it.
//!
//! Sign a voucher for one generation, and verify the operator's receipt for it:
//!
//! ```
//! use ed25519_dalek::SigningKey;
//! use motif_sdk::{
//!     Pubkey,
//!     receipt::{Receipt, SignedReceipt},
//!     voucher::{SignedVoucher, Statement, Voucher},
//! };
//!
//! // One unit of license 0 of a channel, at 1,000 base units, plus the operator's fee of 2 %.
//! let channel = Pubkey::new_from_array([1; 32]);
//! let mut statement = Statement::default();
//! statement.add(0, 1)?;
//! let voucher = Voucher {
//!     cluster: [7; 32],
//!     channel,
//!     opened_slot: 250,
//!     statement: 0,
//!     cumulative: 1_020,
//!     statement_digest: statement.digest(),
//!     expires_at: 1_800_000_000,
//! };
//! let signed = SignedVoucher::sign(voucher, &SigningKey::from_bytes(&[9; 32]));
//! assert!(signed.verifies());
//!
//! // The operator answers with a receipt.
//! let operator = SigningKey::from_bytes(&[8; 32]);
//! let receipt = Receipt {
//!     channel,
//!     opened_slot: 250,
//!     statement: 0,
//!     position: 0,
//!     license: 0,
//!     units: 1,
//!     terms_number: 1,
//!     amount: 1_000,
//!     cumulative: 1_020,
//!     work: Pubkey::new_from_array([2; 32]),
//!     request_digest: [3; 32],
//!     output_digest: [4; 32],
//!     issued_at: 1_799_999_000,
//! };
//! let signed = SignedReceipt::sign(receipt, &operator);
//! assert!(signed.verifies(&Pubkey::new_from_array(operator.verifying_key().to_bytes())));
//! # Ok::<(), motif_sdk::voucher::StatementFull>(())
//! ```
//!
//! Amounts are base units of a mint (`1_000_000` is one USDC), times are unix seconds, and ratios
//! are basis points.
//!
//! # Features
//!
//! Vouchers, receipts, addresses and instructions need no feature. All features are off by
//! default.
//!
//! | feature | modules | purpose |
//! |---|---|---|
//! | `client` | `client` | read accounts; build, send and confirm transactions |
//! | `gateway` | `gateway`, `durable_file` | pay through a gateway or a paywall over HTTP |
//! | `terms` | `terms` | terms as TOML files, presets, summaries; PIL import, RSL and CAWG export |
//! | `fingerprint` | `fingerprint`, `recognition` | perceptual fingerprints and their index |
//! | `credentials` | `credentials` | C2PA content credentials; implies `fingerprint` |
//! | `openapi` | | `utoipa` schemas of the gateway's JSON; implies `gateway` |

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "gateway")]
pub mod durable_file;
#[cfg(feature = "client")]
mod error;
#[cfg(feature = "fingerprint")]
pub mod fingerprint;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(any(feature = "client", feature = "gateway"))]
pub mod http;
#[cfg(feature = "client")]
pub mod keypair;
pub mod lineage;
pub mod record;

#[cfg(feature = "credentials")]
pub use motif_credentials as credentials;
#[cfg(feature = "fingerprint")]
pub use motif_fingerprint::recognition;
pub use motif_interface::{
    AccountData, acceptance, bps, channel, earnings, licensing, merkle, mmr, operator, payments,
    pda, receipt, statement, till, training_set, voucher, voucher_proof,
};
#[cfg(feature = "terms")]
pub use motif_terms as terms;
pub use motif_text as text;
pub use solana_pubkey::Pubkey;

#[cfg(feature = "client")]
pub use error::{Error, Refusal};
