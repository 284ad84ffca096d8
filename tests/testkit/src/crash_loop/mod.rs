//! The gateway and its payer as child processes, to kill them or to make the gateway's disk fail.

mod child;
mod killed_payer;
mod payers;
mod rounds;

pub use child::{Nursery, Running, TOLD, Told, run};
pub use killed_payer::{PAYING, Paying, PayingChild, run_payer};
pub use payers::{Broken, Payer};
pub use rounds::{Report, Rounds};
