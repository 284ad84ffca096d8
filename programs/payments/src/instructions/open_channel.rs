use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use licensing::Config;

use crate::{
    custody::Custody,
    error::PaymentsError,
    event::ChannelOpened,
    state::{Channel, Vault},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct OpenChannelArgs {
    /// Tells apart channels between the same two parties in the same mint.
    pub salt: u64,
    /// Signs vouchers; a key of its own, used for nothing else.
    pub voucher_key: Pubkey,
    pub operator_fee_bps: u16,
    /// From closing by the payer to the last settlement.
    pub grace_seconds: u32,
    /// Base units.
    pub deposit: u64,
}

#[derive(Accounts)]
#[instruction(args: OpenChannelArgs)]
pub struct OpenChannel<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,

    /// CHECK: any key the payer trusts to meter; it settles by signing, so it needs no account.
    pub operator: UncheckedAccount<'info>,

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
            operator.key().as_ref(),
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
    args.check()?;
    let accounts = &ctx.accounts;
    {
        let mut channel = accounts.channel.load_init()?;
        channel.version = Channel::VERSION;
        channel.bump = ctx.bumps.channel;
        channel.operator_fee_bps = args.operator_fee_bps;
        channel.grace_seconds = args.grace_seconds;
        channel.payer = accounts.payer.key();
        channel.operator = accounts.operator.key();
        channel.mint = accounts.mint.key();
        channel.voucher_key = args.voucher_key;
        channel.cluster = accounts.config.cluster;
        channel.salt = args.salt;
        channel.opened_slot = Clock::get()?.slot;
        channel.deposited = args.deposit;
        channel.closes_at = i64::MAX;
        channel.rotates_at = i64::MAX;
        let proper = channel.proper_voucher_key(&args.voucher_key);
        require!(proper, PaymentsError::InvalidVoucherKey);
    }
    accounts.custody().deposit(&accounts.payer_tokens, &accounts.payer, args.deposit)?;
    emit!(ChannelOpened {
        channel: accounts.channel.key(),
        payer: accounts.payer.key(),
        operator: accounts.operator.key(),
        mint: accounts.mint.key(),
        deposited: args.deposit,
    });
    Ok(())
}

impl OpenChannelArgs {
    fn check(&self) -> Result<()> {
        require!(self.deposit > 0, PaymentsError::EmptyDeposit);
        let fee_fits = self.operator_fee_bps <= Channel::MAX_OPERATOR_FEE_BPS;
        require!(fee_fits, PaymentsError::FeeTooHigh);
        let grace = Channel::MIN_GRACE_SECONDS..=Channel::MAX_GRACE_SECONDS;
        require!(grace.contains(&self.grace_seconds), PaymentsError::GraceOutOfRange);
        Ok(())
    }
}

impl<'info> OpenChannel<'info> {
    fn custody(&self) -> Custody<'_, 'info> {
        Custody {
            vault: &self.vault,
            vault_tokens: &self.vault_tokens,
            mint: &self.mint,
            token_program: &self.token_program,
        }
    }
}
