use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};

use crate::{error::LicensingError, state::Config};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct InitializeArgs {
    /// Names the cluster in every voucher; its genesis hash.
    pub cluster: [u8; 32],
    pub arbiter: Pubkey,
    /// At least the rent of an empty account.
    pub dispute_bond_lamports: u64,
    /// From the opening of a dispute to the last second of its verdict: 1 to 60 days.
    pub dispute_seconds: u32,
}

#[derive(Accounts)]
pub struct Initialize<'info> {
    #[account(mut)]
    pub authority: Signer<'info>,

    #[account(init, payer = authority, space = Config::SPACE, seeds = [Config::SEED], bump)]
    pub config: Account<'info, Config>,

    /// CHECK: this program's own account; its loader says where the upgrade authority stands.
    #[account(address = crate::ID)]
    pub program: UncheckedAccount<'info>,

    /// CHECK: the handler derives its address when the loader is the upgradeable one.
    pub program_data: UncheckedAccount<'info>,

    pub system_program: Program<'info, System>,
}

pub fn handle_initialize(ctx: Context<Initialize>, args: InitializeArgs) -> Result<()> {
    ctx.accounts.check_upgrade_authority()?;
    let config = Config {
        version: Config::VERSION,
        bump: ctx.bumps.config,
        cluster: args.cluster,
        authority: ctx.accounts.authority.key(),
        pending_authority: None,
        arbiter: args.arbiter,
        dispute_bond_lamports: args.dispute_bond_lamports,
        dispute_seconds: args.dispute_seconds,
    };
    config.check(Rent::get()?.minimum_balance(0))?;
    ctx.accounts.config.set_inner(config);
    Ok(())
}

impl Initialize<'_> {
    /// The first caller would otherwise become arbiter of a program somebody else deployed.
    /// A program that nobody can upgrade has no such authority: deploy and initialise it in
    /// one go.
    fn check_upgrade_authority(&self) -> Result<()> {
        if *self.program.owner != bpf_loader_upgradeable::ID {
            return Ok(());
        }
        let program_id = crate::ID;
        let (address, _) =
            Pubkey::find_program_address(&[program_id.as_ref()], &bpf_loader_upgradeable::ID);
        require_keys_eq!(self.program_data.key(), address, LicensingError::NotUpgradeAuthority);
        let data = self.program_data.try_borrow_data()?;
        let program_data = ProgramData::try_deserialize_unchecked(&mut &data[..])?;
        // Local networks name the system program, which never signs: again nobody.
        let upgrade_authority = program_data.upgrade_authority_address;
        if let Some(authority) = upgrade_authority.filter(|key| *key != System::id()) {
            let caller = self.authority.key();
            require_keys_eq!(authority, caller, LicensingError::NotUpgradeAuthority);
        }
        Ok(())
    }
}
