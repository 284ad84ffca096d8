//! One file per instruction.

mod initialize;
mod publish_terms;
mod register_work;

pub use initialize::*;
pub use publish_terms::*;
pub use register_work::*;
