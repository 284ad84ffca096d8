//! Instructions of the licensing program.

mod approval;
mod certificate;
mod config;
mod dispute;
mod split;
mod terms;
mod work;

use borsh::BorshSerialize;
use solana_instruction::{AccountMeta, Instruction};

pub use self::{approval::*, certificate::*, config::*, dispute::*, split::*, terms::*, work::*};

fn build(name: &str, accounts: Vec<AccountMeta>, args: &impl BorshSerialize) -> Instruction {
    crate::instruction::build(super::ID, name, accounts, args)
}
