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
mod parts;
mod payer;
mod paywall;
mod prices;
mod receipts;
mod terms;
mod version;

use motif_frame::{Handler, answer};

use payer::Payers;

/// The module, with the payers that its host has created.
#[derive(Debug, Default)]
pub struct Core {
    payers: Payers,
}

/// Calls by name.
type Calls = &'static [(&'static str, Handler<Core>)];

const CALLS: [Calls; 13] = {
    let [works, channel, earnings, operator, till] = instructions::CALLS;
    [
        version::CALLS,
        addresses::CALLS,
        accounts::CALLS,
        works,
        channel,
        earnings,
        operator,
        till,
        prices::CALLS,
        receipts::CALLS,
        terms::CALLS,
        payer::CALLS,
        paywall::CALLS,
    ]
};

impl Core {
    /// Executes the call in a frame; returns the frame of its answer.
    pub fn call(&mut self, input: &[u8]) -> Vec<u8> {
        answer(self, &CALLS, input)
    }
}

motif_frame::exports!(Core);
