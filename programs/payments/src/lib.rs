//! Payments: channels, statements, earnings and claims.
//!
//! A payer deposits into a channel, accepts works' terms as licenses on it, and pays per unit with
//! signed vouchers. The channel's operator settles them; the credit becomes works' earnings, which
//! parents pull and recipients claim. One vault per mint holds all tokens. Account types, errors
//! and instruction builders are in `motif-interface`.
//!
//! # Account validation
//!
//! Anchor checks owner and discriminator of every typed account. `init` derives the address from
//! seeds once and stores the bump; only `init` creates accounts of a type, so a valid account of
//! this program is at its derived address and later instructions do not derive it again. Relations
//! between accounts are checked by `has_one`, or by the handler where a comment says so.
#![allow(missing_docs, reason = "Anchor's macros generate public items without docs")]

use anchor_lang::prelude::*;
#[cfg(target_arch = "bpf")]
use sbf_builtins as _;

pub use motif_interface::{
    channel::{AcceptTermsArgs, OpenChannelArgs, SettleArgs, SettleCosignedArgs},
    earnings::Payee,
    operator::RegisterOperatorArgs,
    payments::*,
};

pub mod clock;
pub mod event;
pub mod instructions;
pub mod state;
pub mod token;
pub mod voucher_proof;

use instructions::*;
pub use state::*;

declare_id!("BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w");

#[cfg(not(feature = "no-entrypoint"))]
motif_interface::security_txt!("Motif payments");

#[program]
pub mod payments {
    use super::*;

    // The dispatcher compares discriminators in this order, and each comparison costs compute
    // units: the most frequent instructions come first.

    /// Credits a statement to its licenses. The voucher that signs it is in the Ed25519 instruction
    /// directly before. The cost depends only on the number of entries.
    pub fn settle(ctx: Context<Settle>, args: SettleArgs) -> Result<()> {
        handle_settle(ctx, args)
    }

    /// Moves licenses' new credit to their works' earnings. Permissionless.
    pub fn collect<'info>(ctx: Context<'info, Collect<'info>>, licenses: Vec<u16>) -> Result<()> {
        handle_collect(ctx, licenses)
    }

    /// Pays recipients everything they are owed. Permissionless.
    pub fn claim<'info>(ctx: Context<'info, Claim<'info>>, payees: Vec<Payee>) -> Result<()> {
        handle_claim(ctx, payees)
    }

    /// Admits a mint: creates the vault of all its channels and earnings. Permissionless.
    pub fn create_vault(ctx: Context<CreateVault>) -> Result<()> {
        handle_create_vault(ctx)
    }

    /// Registers an operator under its authority. Permissionless.
    pub fn register_operator(
        ctx: Context<RegisterOperator>,
        args: RegisterOperatorArgs,
    ) -> Result<()> {
        handle_register_operator(ctx, args)
    }

    /// Changes an operator's fee, grace period, fee owner and URL. Open channels keep their
    /// conditions.
    pub fn update_operator(ctx: Context<UpdateOperator>, terms: OperatorTerms) -> Result<()> {
        handle_update_operator(ctx, terms)
    }

    /// Replaces an operator's settle key or receipt key, after a delay of 15 minutes.
    pub fn rotate_operator_key(
        ctx: Context<RotateOperatorKey>,
        which: OperatorKey,
        new_key: Pubkey,
    ) -> Result<()> {
        handle_rotate_operator_key(ctx, which, new_key)
    }

    /// Opens a payer's channel with one operator, with a first deposit.
    pub fn open_channel(ctx: Context<OpenChannel>, args: OpenChannelArgs) -> Result<()> {
        handle_open_channel(ctx, args)
    }

    /// Adds `amount` base units to a channel's deposit.
    pub fn top_up(ctx: Context<TopUp>, amount: u64) -> Result<()> {
        handle_top_up(ctx, amount)
    }

    /// Adds one use of a work's latest terms to a channel, as a license.
    pub fn accept_terms(ctx: Context<AcceptTerms>, args: AcceptTermsArgs) -> Result<()> {
        handle_accept_terms(ctx, args)
    }

    /// Credits a statement like `settle`, with the voucher key's signature of this transaction
    /// instead of a voucher: several statements of one payer then need no proof each.
    pub fn settle_cosigned(ctx: Context<SettleCosigned>, args: SettleCosignedArgs) -> Result<()> {
        handle_settle_cosigned(ctx, args)
    }

    /// Creates a buffer for a statement that exceeds a packet.
    pub fn create_statement_buffer(ctx: Context<CreateStatementBuffer>) -> Result<()> {
        handle_create_statement_buffer(ctx)
    }

    /// Writes a part of a statement to a buffer.
    pub fn write_statement_buffer(
        ctx: Context<WriteStatementBuffer>,
        offset: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        handle_write_statement_buffer(ctx, offset, bytes)
    }

    /// Credits the statement in a buffer like `settle`, and closes the buffer.
    pub fn settle_buffered(
        ctx: Context<SettleBuffered>,
        receipts: Option<ReceiptsCommitment>,
    ) -> Result<()> {
        handle_settle_buffered(ctx, receipts)
    }

    /// Closes a buffer; its rent returns to the settler.
    pub fn close_statement_buffer(ctx: Context<CloseStatementBuffer>) -> Result<()> {
        handle_close_statement_buffer(ctx)
    }

    /// Creates the account of a work's earnings in one currency. Permissionless.
    pub fn open_earnings(ctx: Context<OpenEarnings>) -> Result<()> {
        handle_open_earnings(ctx)
    }

    /// Moves a parent's share of a child's earnings to the parent's earnings. Permissionless.
    pub fn pull(ctx: Context<Pull>) -> Result<()> {
        handle_pull(ctx)
    }

    /// Applies a work's open dispute to its earnings: earlier earnings stay claimable, later ones
    /// wait for the verdict. Permissionless.
    pub fn apply_dispute(ctx: Context<ApplyDispute>) -> Result<()> {
        handle_apply_dispute(ctx)
    }

    /// Updates earnings to their work's current split. Permissionless.
    pub fn apply_split(ctx: Context<ApplySplit>) -> Result<()> {
        handle_apply_split(ctx)
    }

    /// Ends licenses of withdrawn works after their notice. Permissionless.
    pub fn apply_withdrawal<'info>(
        ctx: Context<'info, ApplyWithdrawal<'info>>,
        licenses: Vec<u16>,
    ) -> Result<()> {
        handle_apply_withdrawal(ctx, licenses)
    }

    /// Makes a license's unused quota of shared caps available to other licensees.
    pub fn release_quota(ctx: Context<ReleaseQuota>, index: u16) -> Result<()> {
        handle_release_quota(ctx, index)
    }

    /// Pays an operator's settled fees to its fee owner. Permissionless.
    pub fn claim_fees(ctx: Context<ClaimFees>) -> Result<()> {
        handle_claim_fees(ctx)
    }

    /// Replaces the voucher key, after the grace period or at once if the operator's authority signs,
    /// and the watcher if there is one.
    pub fn rotate_voucher_key(ctx: Context<RotateVoucherKey>, new_key: Pubkey) -> Result<()> {
        handle_rotate_voucher_key(ctx, new_key)
    }

    /// Creates an account that receives plain transfers for works and an operator. Permissionless.
    pub fn open_till<'info>(
        ctx: Context<'info, OpenTill<'info>>,
        shares: TillShares,
    ) -> Result<()> {
        handle_open_till(ctx, shares)
    }

    /// Moves a till's tokens to its works' earnings and its operator's fee owner. Permissionless.
    pub fn sweep_till<'info>(ctx: Context<'info, SweepTill<'info>>) -> Result<()> {
        handle_sweep_till(ctx)
    }

    /// Starts a channel's grace period, or closes the channel at once if payer and operator's
    /// authority agree.
    pub fn request_close(ctx: Context<RequestClose>) -> Result<()> {
        handle_request_close(ctx)
    }

    /// Returns the uncharged deposit to the payer, after the channel has closed.
    pub fn withdraw(ctx: Context<Withdraw>) -> Result<()> {
        handle_withdraw(ctx)
    }

    /// Closes the account of a channel that is paid out.
    pub fn close_channel(ctx: Context<CloseChannel>) -> Result<()> {
        handle_close_channel(ctx)
    }
}

#[cfg(all(test, feature = "idl-build"))]
#[test]
fn __anchor_private_print_idl_error_payments_error() {
    motif_interface::idl::print_errors::<motif_interface::payments::PaymentsError>();
}
