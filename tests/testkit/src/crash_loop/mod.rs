//! The gateway as a child process, to kill it or to make its disk fail.

mod child;
mod payers;
mod rounds;

pub use child::{Nursery, Running, TOLD, Told, run};
pub use payers::{Broken, Payer};
pub use rounds::{Report, Rounds};
