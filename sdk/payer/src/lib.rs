//! Payer of a Motif channel, as a state machine without I/O.
//!
//! - [`Machine`]: payments of a channel, its vouchers, receipts, budgets and recovery.
//! - [`Purchase`] and [`stream`]: what a payer signs for an answer behind a paywall, and what it accepts.
//! - [`request`]: requests that a payer signs, and the digests in them.
//!
//! A [`Machine`] gathers payments and decides what to sign, what to send, what an answer proves, and what is
//! unanswered after a crash. Its caller signs, sends, and writes the state file, in any language: this crate
//! has no clock, network or file, and builds for WebAssembly. The feature `host` adds constructors that read
//! the process's clock and random numbers.
//!
//! ```
//! # use bytemuck::Zeroable;
//! use ed25519_dalek::{Signer, SigningKey};
//! use motif_payer::{Effect, Machine, Payment, PayerPolicy};
//! use motif_wire::BatchedGeneration;
//! # use motif_interface::{Pubkey, channel::{Channel, ChannelAccount, License}, operator::ReceiptKeys};
//! # let key = SigningKey::from_bytes(&[9; 32]);
//! # let license = License {
//! #     price: 100, units_left: u64::MAX, daily_units: u64::MAX, revenue_left: u64::MAX,
//! #     expires_at: i64::MAX, ..License::zeroed()
//! # };
//! # let channel = Channel { deposited: 1_000_000, operator_fee_bps: 200, ..Channel::zeroed() };
//! # let account = ChannelAccount { channel, licenses: vec![license] };
//! # let address = Pubkey::new_from_array([1; 32]);
//! # let receipt_keys = ReceiptKeys::sole(account.channel.operator);
//!
//! // `account` and `receipt_keys` are read from the chain.
//! let policy = PayerPolicy { budget: Some(1_000), ..PayerPolicy::default() };
//! let mut payer = Machine::new(address, &account, receipt_keys, policy, false);
//!
//! // Two callers pay at once: one voucher covers both.
//! for ticket in [1, 2] {
//!     let generations = vec![BatchedGeneration::new(0, 1, [3; 32], [ticket as u8; 32])];
//!     payer.pay(Payment { ticket, generations, tag: None });
//! }
//! let effects = payer.next(1_800_000_000);
//! let [Effect::Sign(voucher)] = &effects[..] else { panic!() };
//! assert_eq!(voucher.cumulative, 204);
//! let effects = payer.signed(key.sign(&voucher.to_bytes()).to_bytes());
//! let [Effect::Send(request)] = &effects[..] else { panic!() };
//! // POST /v1/channels/{channel}/batches, then `payer.answered(status, &body, now)`.
//! assert!(payer.is_unanswered() && request.body.starts_with(b"{"));
//! ```

mod batch;
mod books;
mod budget;
mod effect;
mod error;
#[cfg(feature = "host")]
mod host;
mod idempotency;
mod journal;
mod machine;
mod policy;
mod price_tag;
pub mod purchase;
pub mod request;
mod signatures;
mod state;
pub mod stream;
mod tag_amounts;

pub use effect::{Effect, Payment, Request};
pub use error::{InvalidJournal, PayerError, is_definite, is_transient};
#[cfg(feature = "host")]
pub use host::now;
pub use idempotency::{IdempotencyKey, InvalidIdempotencyKey};
pub use machine::Machine;
pub use policy::PayerPolicy;
pub use price_tag::{Chosen, PriceTagError, newest_license};
pub use purchase::{PaidUnits, Purchase};
pub use state::{KeptReceipt, day_of};
pub use tag_amounts::TagAmounts;
