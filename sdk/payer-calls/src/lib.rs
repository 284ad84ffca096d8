//! Motif's rules for payers in other languages: a payer's state machine, prices, vouchers, receipts, proofs, and
//! purchases from behind a paywall, as calls of a WebAssembly module.
//!
//! [`Payers::call`] takes and returns the frames of `motif_frame`; `sdk/core/README.md` describes the calls. `motif_core`
//! has them too.
//!
//! ```
//! use motif_payer_calls::Payers;
//!
//! let input = motif_frame::frame(r#"{"call":"price.quote","price":"20","units":3}"#, b"");
//! let output = Payers::default().call(&input);
//! let (json, _) = motif_frame::read(&output).expect("a frame");
//! assert_eq!(json, r#"{"ok":{"price":"60","fee":"0","total":"60"}}"#);
//! ```

pub mod accounts;
pub mod addresses;
pub mod parts;
mod payer;
mod payers;
mod paywall;
pub mod prices;
mod receipts;
mod sales;
pub mod version;

use motif_frame::{Handler, answer};

pub use payers::Payers;

/// Calls by name.
pub type Calls = &'static [(&'static str, Handler<Payers>)];

/// Calls that every module with payers has.
pub const CALLS: [Calls; 6] =
    [addresses::CALLS, prices::CALLS, receipts::CALLS, sales::CALLS, payer::CALLS, paywall::CALLS];

/// All calls of this module.
const OWN: [Calls; 7] = {
    let [addresses, prices, receipts, sales, payer, paywall] = CALLS;
    let own: Calls = &[("version", version::version), ("account.decode", accounts::decode)];
    [own, addresses, prices, receipts, sales, payer, paywall]
};

impl Payers {
    /// Executes the call in a frame; returns the frame of its answer.
    pub fn call(&mut self, input: &[u8]) -> Vec<u8> {
        answer(self, &OWN, input)
    }
}

motif_frame::exports!(Payers);
