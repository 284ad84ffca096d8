//! Who made what, and on which terms.
//!
//! Creators register works with a split of what they earn and publish immutable, numbered
//! terms. No tokens rest in this program; `payments` reads its accounts and never writes them.
#![allow(missing_docs, reason = "Anchor's macros generate public items without docs")]

#[cfg(target_arch = "bpf")]
use sbf_builtins as _;

use anchor_lang::prelude::*;

pub mod bps;
pub mod error;
pub mod event;
pub mod instructions;
pub mod licence_right;
pub mod parent_right;
pub mod state;

pub use error::LicensingError;
use instructions::*;
pub use state::*;

declare_id!("7Wf1kQ8x2KDRjUynHQuNt3fPZRUBPvyRWwoF9BHfFfPo");

#[program]
pub mod licensing {
    use super::*;

    /// Creates the one `Config` of this deployment. Once, by whoever may upgrade the program.
    pub fn initialize(ctx: Context<Initialize>, args: InitializeArgs) -> Result<()> {
        handle_initialize(ctx, args)
    }

    /// Registers a work: its content digest, its split and the works it was made from.
    pub fn register_work<'info>(
        ctx: Context<'info, RegisterWork<'info>>,
        args: RegisterWorkArgs,
    ) -> Result<()> {
        handle_register_work(ctx, args)
    }

    /// Publishes the next numbered version of a work's terms.
    pub fn publish_terms(ctx: Context<PublishTerms>, args: PublishTermsArgs) -> Result<()> {
        handle_publish_terms(ctx, args)
    }
}
