//! Reference model of both programs in plain Rust with wide integers, written from the documents
//! instead of the programs.
//!
//! [`Ledger`] holds works, terms, channels, earnings and token balances. Each of its methods is an
//! instruction: it changes the ledger, or returns every broken rule and changes nothing. The model
//! uses error codes and enums of the programs, but none of
//! their arithmetic.

mod agreement;
mod channel;
mod earnings;
mod earnings_ledger;
pub mod exact;
mod governing_ledger;
mod ledger;
mod license;
mod licensing_ledger;
mod metadata;
mod operator;
mod operator_ledger;
mod payments_ledger;
mod rules;
mod till;
mod tills_ledger;
mod work;

pub use agreement::{same_book, same_channel, same_operator, same_till, same_work};
pub use channel::{Channel, Entries, NEVER, Settling};
pub use earnings::{Book, Standing, Upstream};
pub use ledger::{Config, Ledger, Purse};
pub use license::License;
pub use licensing_ledger::{Deciding, Made, Registering, Right};
pub use operator::{Conditions, Operator};
pub use payments_ledger::{Accepting, Opening};
pub use rules::{Refused, Rules, refused};
pub use till::Till;
pub use work::{Awarded, Change, Dispute, Inherited, Status, Terms, Work};
