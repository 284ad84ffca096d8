//! Motif's rules for clients in other languages: addresses, instructions, accounts, prices, vouchers, receipts,
//! terms, and a payer's state machine, as calls of a WebAssembly module.
//!
//! [`Core::call`] takes and returns the frames of `motif_frame`; `README.md` lists the calls. The module has no
//! clock, randomness, network or files: its host passes what it needs as arguments.
//!
//! ```
//! use motif_core::Core;
//!
//! let mut core = Core::default();
//! let output = core.call(&motif_frame::frame(r#"{"call":"address.config"}"#, b""));
//! let (json, _) = motif_frame::read(&output).expect("a frame");
//! assert!(json.starts_with(r#"{"ok":{"address":""#));
//! ```

mod accounts;
mod addresses;
mod instructions;
mod licenses;
mod parts;
mod terms;
mod version;

use motif_frame::answer;
use motif_payer_calls::{Calls, Payers};

/// The module, with the payers that its host has created.
#[derive(Debug, Default)]
pub struct Core {
    payers: Payers,
}

const CALLS: [Calls; 16] = {
    let [works, channel, earnings, operator, till] = instructions::CALLS;
    let [payer_addresses, prices, receipts, sales, payer, paywall] = motif_payer_calls::CALLS;
    [
        version::CALLS,
        addresses::CALLS,
        payer_addresses,
        accounts::CALLS,
        works,
        channel,
        earnings,
        operator,
        till,
        licenses::CALLS,
        prices,
        receipts,
        sales,
        terms::CALLS,
        payer,
        paywall,
    ]
};

impl Core {
    /// Executes the call in a frame; returns the frame of its answer.
    pub fn call(&mut self, input: &[u8]) -> Vec<u8> {
        answer(&mut self.payers, &CALLS, input)
    }
}

motif_frame::exports!(Core);
