//! Who owes and gets what.
//!
//! A platform deposits into a channel, accepts works' terms as licenses on it, and pays per
//! unit with signed vouchers. Its operator settles; the credit becomes works' earnings, which
//! parents pull and recipients claim. All tokens rest in one pooled vault per mint.
#![allow(missing_docs, reason = "Anchor's macros generate public items without docs")]

#[cfg(target_arch = "bpf")]
use sbf_builtins as _;

use anchor_lang::prelude::*;

pub mod custody;
pub mod error;
pub mod event;
pub mod instructions;
pub mod mmr;
pub mod proof;
pub mod state;
pub mod statement;
pub mod voucher;

pub use error::PaymentsError;
use instructions::*;
pub use state::*;

declare_id!("BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w");

#[program]
pub mod payments {
    use super::*;

    // A call is compared with these in order, and pays for each comparison: what runs most
    // often stands first.

    /// Pays a statement: the voucher that signs for it stands in the Ed25519 instruction
    /// directly before. The cost depends on the number of entries alone.
    pub fn settle(ctx: Context<Settle>, args: SettleArgs) -> Result<()> {
        handle_settle(ctx, args)
    }

    /// Moves licenses' new credit into their works' earnings. Anyone may.
    pub fn collect<'info>(ctx: Context<'info, Collect<'info>>, licenses: Vec<u16>) -> Result<()> {
        handle_collect(ctx, licenses)
    }

    /// Pays recipients everything their shares entitle them to by now. Anyone may.
    pub fn claim<'info>(ctx: Context<'info, Claim<'info>>, payees: Vec<Payee>) -> Result<()> {
        handle_claim(ctx, payees)
    }

    /// Admits a mint: creates the vault all its channels and earnings share. Anyone may.
    pub fn create_vault(ctx: Context<CreateVault>) -> Result<()> {
        handle_create_vault(ctx)
    }

    /// Opens a payer's channel towards one operator, with a first deposit.
    pub fn open_channel(ctx: Context<OpenChannel>, args: OpenChannelArgs) -> Result<()> {
        handle_open_channel(ctx, args)
    }

    /// Adds `amount` base units to a channel's deposit.
    pub fn top_up(ctx: Context<TopUp>, amount: u64) -> Result<()> {
        handle_top_up(ctx, amount)
    }

    /// Takes one use of a work's latest terms onto a channel as a license.
    pub fn accept_terms(ctx: Context<AcceptTerms>, args: AcceptTermsArgs) -> Result<()> {
        handle_accept_terms(ctx, args)
    }

    /// Pays a statement as `settle` does, with the voucher key's signature of this transaction
    /// in place of a voucher: several statements of one payer then need no proof each.
    pub fn settle_cosigned(ctx: Context<SettleCosigned>, args: SettleCosignedArgs) -> Result<()> {
        handle_settle_cosigned(ctx, args)
    }

    /// Creates the account in which a settler writes down a statement too large for a packet.
    pub fn create_statement_buffer(ctx: Context<CreateStatementBuffer>) -> Result<()> {
        handle_create_statement_buffer(ctx)
    }

    /// Writes a part of a statement.
    pub fn write_statement_buffer(
        ctx: Context<WriteStatementBuffer>,
        offset: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        handle_write_statement_buffer(ctx, offset, bytes)
    }

    /// Pays a statement as `settle` does, read from where it was staged.
    pub fn settle_buffered(
        ctx: Context<SettleBuffered>,
        receipts: Option<ReceiptsCommitment>,
    ) -> Result<()> {
        handle_settle_buffered(ctx, receipts)
    }

    /// Gives the rent of a staged statement back to whoever staged it.
    pub fn close_statement_buffer(ctx: Context<CloseStatementBuffer>) -> Result<()> {
        handle_close_statement_buffer(ctx)
    }

    /// Creates the account in which a work earns in one currency. Anyone may.
    pub fn open_earnings(ctx: Context<OpenEarnings>) -> Result<()> {
        handle_open_earnings(ctx)
    }

    /// Moves a parent's share of a child's earnings into the parent's. Anyone may.
    pub fn pull(ctx: Context<Pull>) -> Result<()> {
        handle_pull(ctx)
    }

    /// Tells earnings that their work is disputed: what they earn from now on waits for the
    /// verdict, what they have earned is paid. Anyone may.
    pub fn apply_dispute(ctx: Context<ApplyDispute>) -> Result<()> {
        handle_apply_dispute(ctx)
    }

    /// Brings earnings to their work's present split. Anyone may.
    pub fn apply_split(ctx: Context<ApplySplit>) -> Result<()> {
        handle_apply_split(ctx)
    }

    /// Ends licenses of withdrawn works when their notice is over. Anyone may.
    pub fn apply_withdrawal<'info>(
        ctx: Context<'info, ApplyWithdrawal<'info>>,
        licenses: Vec<u16>,
    ) -> Result<()> {
        handle_apply_withdrawal(ctx, licenses)
    }

    /// Gives a license's unused part of shared caps back to other licensees.
    pub fn release_quota(ctx: Context<ReleaseQuota>, index: u16) -> Result<()> {
        handle_release_quota(ctx, index)
    }

    /// Pays the operator the fees settled so far.
    pub fn claim_fees(ctx: Context<ClaimFees>) -> Result<()> {
        handle_claim_fees(ctx)
    }

    /// Puts another voucher key in place, after the grace period or as soon as the operator agrees.
    pub fn rotate_voucher_key(ctx: Context<RotateVoucherKey>, new_key: Pubkey) -> Result<()> {
        handle_rotate_voucher_key(ctx, new_key)
    }

    /// Creates an account that takes plain transfers for a work. Anyone may.
    pub fn open_till(ctx: Context<OpenTill>) -> Result<()> {
        handle_open_till(ctx)
    }

    /// Moves what a till holds into its work's earnings. Anyone may.
    pub fn sweep_till(ctx: Context<SweepTill>) -> Result<()> {
        handle_sweep_till(ctx)
    }

    /// Starts a channel's grace period (the payer), or ends it at once (the operator).
    pub fn start_closing(ctx: Context<StartClosing>) -> Result<()> {
        handle_start_closing(ctx)
    }

    /// Returns to the payer what was never charged, once the channel is closed.
    pub fn withdraw(ctx: Context<Withdraw>) -> Result<()> {
        handle_withdraw(ctx)
    }

    /// Removes a channel from which nobody can take anything any more.
    pub fn close_channel(ctx: Context<CloseChannel>) -> Result<()> {
        handle_close_channel(ctx)
    }
}
