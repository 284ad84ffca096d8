use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};
use motif_interface::licensing::{Config, InitializeArgs, LicensingError};

/// Loader of programs that can never be upgraded.
const FINAL_LOADER: Pubkey = pubkey!("BPFLoader2111111111111111111111111111111111");

#[derive(Accounts)]
pub struct Initialize<'info> {
    #[account(mut)]
    pub authority: Signer<'info>,

    #[account(init, payer = authority, space = Config::SPACE, seeds = [Config::SEED], bump)]
    pub config: Account<'info, Config>,

    /// CHECK: this program's account, by address; its owner is the loader.
    #[account(address = crate::ID)]
    pub program: UncheckedAccount<'info>,

    /// CHECK: the handler checks its address if the loader is the upgradeable one.
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
    /// Checks that the caller is the program's upgrade authority. Otherwise the first caller could
    /// appoint the arbiter of a program that another party deployed.
    ///
    /// A program without an upgrade authority accepts any caller: the one that deploys it must
    /// initialize it in the same transaction.
    fn check_upgrade_authority(&self) -> Result<()> {
        // A program of a later loader may have an authority that this check cannot read.
        if *self.program.owner == FINAL_LOADER {
            return Ok(());
        }
        let upgradeable = *self.program.owner == bpf_loader_upgradeable::ID;
        require!(upgradeable, LicensingError::NotUpgradeAuthority);
        let program_id = crate::ID;
        let (address, _) =
            Pubkey::find_program_address(&[program_id.as_ref()], &bpf_loader_upgradeable::ID);
        require_keys_eq!(self.program_data.key(), address, LicensingError::NotUpgradeAuthority);
        let data = self.program_data.try_borrow_data()?;
        let program_data = ProgramData::try_deserialize_unchecked(&mut &data[..])?;
        // Local networks name the system program, which never signs.
        let upgrade_authority = program_data.upgrade_authority_address;
        if let Some(authority) = upgrade_authority.filter(|key| *key != System::id()) {
            let caller = self.authority.key();
            require_keys_eq!(authority, caller, LicensingError::NotUpgradeAuthority);
        }
        Ok(())
    }
}
