//! The licensing program: works, their terms and splits.

use solana_pubkey::Pubkey;

mod approval;
mod config;
mod consent;
mod dispute;
mod error;
mod instruction;
mod lineage;
mod model;
mod split;
mod split_change;
mod terms;
mod title;
mod work;
mod work_head;
mod work_status;

pub use approval::*;
pub use config::*;
pub use consent::*;
pub use dispute::*;
pub use error::*;
pub use instruction::*;
pub use lineage::*;
pub use model::*;
pub use split::*;
pub use split_change::*;
pub use terms::*;
pub use title::*;
pub use work::*;
pub use work_head::*;
pub use work_status::*;

pub use ID as PROGRAM_ID;

pub use crate::token::TOKEN_METADATA_PROGRAM;

/// Address of the program.
pub const ID: Pubkey = Pubkey::from_str_const("7Wf1kQ8x2KDRjUynHQuNt3fPZRUBPvyRWwoF9BHfFfPo");

/// Seed of a certificate's mint: `["certificate", work]`.
pub const CERTIFICATE_SEED: &[u8] = b"certificate";

crate::account::accounts! {
    ID;
    borsh: Approval, Config, Dispute, SplitChange, Terms, Work;
    zero_copy:
}
