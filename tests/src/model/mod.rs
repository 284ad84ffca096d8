//! A second opinion: what both programs should do, written down again in plain Rust and wide
//! numbers, from the documents and not from the programs.
//!
//! [`Ledger`] knows works, terms, channels and earnings, and what every token account holds. Each
//! of its methods is an instruction: it changes the ledger, or names every rule the instruction
//! breaks and changes nothing. Of the programs it uses error codes and the names of enums, none
//! of their arithmetic.

mod agreement;
mod channel;
mod earnings;
mod earnings_ledger;
pub mod exact;
mod governing_ledger;
mod ledger;
mod license;
mod licensing_ledger;
mod payments_ledger;
mod rules;
mod work;

pub use agreement::{same_book, same_channel, same_work};
pub use channel::{Channel, Entries, NEVER, Settling};
pub use earnings::{Book, Standing, Upstream};
pub use ledger::{Config, Ledger, Purse};
pub use license::License;
pub use licensing_ledger::{Awarded, Deciding, Made, Registering, Right};
pub use payments_ledger::{Accepting, Opening};
pub use rules::{Refused, Rules, refused};
pub use work::{Change, Dispute, Inherited, Status, Terms, Work};
