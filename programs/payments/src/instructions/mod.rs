//! One file per instruction.

mod accept;
mod claim;
mod claim_fees;
mod collect;
mod create_vault;
mod open_channel;
mod open_earnings;
mod pull;
mod settle;
mod start_closing;
mod top_up;
mod withdraw;

pub use accept::*;
pub use claim::*;
pub use claim_fees::*;
pub use collect::*;
pub use create_vault::*;
pub use open_channel::*;
pub use open_earnings::*;
pub use pull::*;
pub use settle::*;
pub use start_closing::*;
pub use top_up::*;
pub use withdraw::*;
