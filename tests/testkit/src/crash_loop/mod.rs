//! The gateway as a process of its own, which is killed, or whose disk fails.

mod child;
mod payers;
mod rounds;

pub use child::{Nursery, Running, TOLD, Told, run};
pub use payers::{Broken, Payer};
pub use rounds::{Report, Rounds};
