use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use motif_interface::{
    channel::OpenChannelArgs,
    licensing::Config,
    payments::{Channel, Operator, PaymentsError, Vault},
};

use crate::{event::ChannelOpened, token::VaultAccounts};

#[derive(Accounts)]
#[instruction(args: OpenChannelArgs)]
pub struct OpenChannel<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,

    /// Operator that the payer trusts to meter.
    pub operator: Box<Account<'info, Operator>>,

    pub mint: InterfaceAccount<'info, Mint>,

    #[account(has_one = mint, has_one = token_program)]
    pub vault: Account<'info, Vault>,

    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = vault,
        associated_token::token_program = token_program,
    )]
    pub vault_tokens: InterfaceAccount<'info, TokenAccount>,

    #[account(mut, token::mint = mint, token::authority = payer)]
    pub payer_tokens: InterfaceAccount<'info, TokenAccount>,

    #[account(
        init,
        payer = payer,
        space = Channel::space(0),
        seeds = [
            Channel::SEED,
            payer.key().as_ref(),
            operator.authority.as_ref(),
            mint.key().as_ref(),
            &args.salt.to_le_bytes(),
        ],
        bump,
    )]
    pub channel: AccountLoader<'info, Channel>,

    pub config: Box<Account<'info, Config>>,

    pub token_program: Interface<'info, TokenInterface>,
    pub system_program: Program<'info, System>,
}

pub fn handle_open_channel(ctx: Context<OpenChannel>, args: OpenChannelArgs) -> Result<()> {
    let accounts = &ctx.accounts;
    let operator = &accounts.operator;
    check(&args, operator)?;
    let keys = [accounts.payer.key(), args.voucher_key];
    let self_metered = keys.iter().any(|key| operator.holds(key));
    {
        let mut channel = accounts.channel.load_init()?;
        channel.version = Channel::VERSION;
        channel.bump = ctx.bumps.channel;
        channel.operator_fee_bps = args.operator_fee_bps;
        channel.grace_seconds = args.grace_seconds;
        channel.payer = accounts.payer.key();
        channel.operator = operator.authority;
        channel.watcher = args.watcher.unwrap_or_default();
        channel.mint = accounts.mint.key();
        channel.voucher_key = args.voucher_key;
        channel.cluster = accounts.config.cluster;
        channel.salt = args.salt;
        channel.opened_slot = Clock::get()?.slot;
        channel.deposited = args.deposit;
        channel.closes_at = i64::MAX;
        channel.rotates_at = i64::MAX;
        channel.self_metered = u8::from(self_metered);
        let accepted = channel.accepts_voucher_key(&args.voucher_key);
        require!(accepted, PaymentsError::InvalidVoucherKey);
    }
    let vault = VaultAccounts {
        vault: &accounts.vault,
        tokens: accounts.vault_tokens.to_account_info(),
        mint: accounts.mint.to_account_info(),
    };
    let from = accounts.payer_tokens.to_account_info();
    vault.transfer_in(from, accounts.payer.to_account_info(), args.deposit)?;
    emit!(ChannelOpened {
        channel: accounts.channel.key(),
        payer: accounts.payer.key(),
        operator: operator.authority,
        mint: accounts.mint.key(),
        deposited: args.deposit,
        self_metered,
    });
    Ok(())
}

fn check(args: &OpenChannelArgs, operator: &Operator) -> Result<()> {
    require!(args.deposit > 0, PaymentsError::EmptyDeposit);
    let fee_fits = args.operator_fee_bps <= Channel::MAX_OPERATOR_FEE_BPS;
    require!(fee_fits, PaymentsError::FeeTooHigh);
    let grace = Channel::MIN_GRACE_SECONDS..=Channel::MAX_GRACE_SECONDS;
    require!(grace.contains(&args.grace_seconds), PaymentsError::InvalidGracePeriod);
    require!(args.operator_fee_bps >= operator.fee_bps, PaymentsError::FeeTooLow);
    let lasts = args.grace_seconds >= operator.min_grace_seconds;
    require!(lasts, PaymentsError::GracePeriodTooShort);
    Ok(())
}
